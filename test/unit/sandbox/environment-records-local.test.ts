import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { folderRecords } from '../../../src/sandbox/environment-records-local.ts';

const key = 'abcdefghijklmnopqrstuvwxyz';
const never = new AbortController().signal;
const described = { requirements: ['polars'], bytes: 1000, created: '2026-11-01T00:00:00.000Z', shadows: [] };

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'vivarium-test-'));
  t.after(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

describe('folderRecords', () => {
  it('reads what the environments say of themselves, and when they were used', async (t) => {
    const path = folder(t);
    mkdirSync(join(path, key));
    mkdirSync(join(path, '.building-x'));
    writeFileSync(join(path, key, 'environment.json'), JSON.stringify({ ...described, packages: [] }));
    const records = folderRecords(path);
    const used = '2026-11-02T00:00:00.000Z';
    await records.put(key, { ...described, used }, never);
    assert.deepEqual((await records.all(never)).records, new Map([[key, { ...described, used }]]));
    assert.equal(await records.forget([key], '', never), true);
  });

  it('takes a folder that is not there, or half an environment, for none', async (t) => {
    const path = folder(t);
    mkdirSync(join(path, key));
    assert.equal((await folderRecords(path).all(never)).records.size, 0);
    assert.equal((await folderRecords(join(path, 'none')).all(never)).records.size, 0);
    await folderRecords(path).put(key, { ...described, used: described.created }, never);
  });
});
