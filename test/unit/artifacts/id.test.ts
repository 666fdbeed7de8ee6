import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { artifactIdOf, artifactKey, artifactUrl, newArtifactId } from '../../../src/artifacts/id.ts';
import { newExecutionId } from '../../../src/request/execution-id.ts';

const executionId = 'abcdefghijklmnopqrstuvwxyz';
const name = 'abcdefghijklmn27';

describe('artifact ids', () => {
  it('are new each time, and name their execution', () => {
    const run = newExecutionId();
    const ids = new Set(Array.from({ length: 1000 }, () => newArtifactId(run)));
    assert.equal(ids.size, 1000);
    for (const id of ids) assert.equal(artifactKey(id)?.split('/')[0], run);
  });

  it('tell the key of the data', () => {
    assert.equal(artifactKey(`${executionId}-${name}`), `${executionId}/${name}`);
  });

  for (const id of [
    '',
    executionId,
    `${executionId}-`,
    `${executionId}-${name}x`,
    `${executionId}-${name.slice(1)}`,
    `${executionId}-${name.toUpperCase()}`,
    `${executionId}/${name}`,
    `${executionId}-${name}.json`,
    `${executionId}-${name}\n`,
    `../../etc/passwd`,
    `${executionId.slice(1)}1-${name}`,
  ]) {
    it(`are not ${JSON.stringify(id)}`, () => {
      assert.equal(artifactKey(id), undefined);
    });
  }
});

describe('artifactIdOf', () => {
  for (const [key, id] of [
    [`${executionId}/${name}`, `${executionId}-${name}`],
    [`${executionId}/${name}.json`, `${executionId}-${name}`],
    [`${executionId}/${name}.txt`, undefined],
    [`${executionId}/x`, undefined],
    [`backups/${name}`, undefined],
    [`a/${executionId}/${name}`, undefined],
  ] as const) {
    it(key, () => {
      assert.equal(artifactIdOf(key), id);
    });
  }
});

describe('artifactUrl', () => {
  for (const [publicUrl, url] of [
    ['', '/v1/artifacts/x'],
    ['https://example.org', 'https://example.org/v1/artifacts/x'],
    ['https://example.org/run/', 'https://example.org/run/v1/artifacts/x'],
  ] as const) {
    it(url, () => {
      assert.equal(artifactUrl(publicUrl, 'x'), url);
    });
  }
});
