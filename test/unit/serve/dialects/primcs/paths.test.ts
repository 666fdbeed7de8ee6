import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { artifactPath } from '../../../../../src/serve/dialects/primcs/artifacts.ts';
import { belowMounts, belowOutput, belowRoot } from '../../../../../src/serve/dialects/primcs/paths.ts';

/** What each makes of a path; null where it refuses it. */
const table: [path: string, root: string | null, output: string | null, mounts: string | null][] = [
  ['a', 'a', 'output/a', 'a'],
  ['./a//b/', 'a/b', 'output/a/b', 'a/b'],
  ['', '', 'output', null],
  ['.', '', 'output', null],
  ['a/../b', 'b', null, null],
  ['a/..', '', null, null],
  ['..', null, null, null],
  ['../a', null, null, null],
  ['a/../../b', null, null, null],
  ['/a', null, null, null],
  ['..a/b..', '..a/b..', 'output/..a/b..', '..a/b..'],
];

function orNull(make: () => string): string | null {
  try {
    return make();
  } catch (error) {
    assert.ok(error instanceof Error && error.name === 'Fault');
    return null;
  }
}

describe('paths of tools', () => {
  for (const [path, root, output, mounts] of table) {
    it(JSON.stringify(path), () => {
      assert.equal(
        orNull(() => belowRoot(path)),
        root,
      );
      assert.equal(
        orNull(() => belowOutput(path)),
        output,
      );
      assert.equal(
        orNull(() => belowMounts(path)),
        mounts,
      );
    });
  }
});

describe('paths of artifacts', () => {
  const urls: [url: string, path: string | undefined][] = [
    ['/artifacts/a.csv', 'a.csv'],
    ['/artifacts/plots/a%20b.png', 'plots/a b.png'],
    ['/artifacts/a/../b', 'b'],
    ['/artifacts/a/', 'a'],
    ['/artifacts/', '.'],
    ['/artifacts/..a', '..a'],
    ['/artifacts/..', undefined],
    ['/artifacts/%2e%2e/secret', undefined],
    ['/artifacts/a/..%2f..%2fsecret', undefined],
    ['/artifacts//etc/passwd', undefined],
    ['/artifacts/%2Fetc/passwd', undefined],
    ['/artifacts/%ff', undefined],
  ];
  for (const [url, path] of urls) {
    it(url, () => {
      assert.equal(artifactPath(url), path);
    });
  }
});
