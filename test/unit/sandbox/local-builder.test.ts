import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { environmentsFolder, findUv, localBuilder } from '../../../src/sandbox/local-builder.ts';

const isRoot = process.getuid?.() === 0;

function folders(t: TestContext) {
  const path = mkdtempSync(join(tmpdir(), 'vivarium-test-'));
  t.after(() => {
    rmSync(path, { recursive: true });
  });
  const make = (name: string, file: string, content: string) => {
    mkdirSync(join(path, name), { recursive: true });
    writeFileSync(join(path, name, file), content);
    chmodSync(join(path, name, file), 0o700);
    return join(path, name);
  };
  return { path, make };
}

describe('findUv', () => {
  it('takes the first that is a program', (t) => {
    const { make } = folders(t);
    const shim = make('shims', 'uv', '#!/bin/sh\nexec pyenv uv');
    const real = make('bin', 'uv', '\x7fELF…');
    assert.equal(findUv(['/nonexistent', shim, real]), join(real, 'uv'));
    assert.equal(findUv([shim]), undefined);
  });
});

describe('localBuilder', () => {
  it('says what to install', () => {
    const builder = localBuilder({ searchPath: [], certificates: '', index: '' }, false);
    assert.throws(() => builder.files(), { code: 'environments_unavailable', message: /pip install uv/ });
  });

  it('uses what is there as it is', (t) => {
    const { make } = folders(t);
    const bin = make('bin', 'uv', '\x7fELF…');
    const builder = localBuilder({ searchPath: [bin], certificates: '/nonexistent', index: '/etc' }, false);
    assert.deepEqual(builder.files(), { uv: join(bin, 'uv'), index: '/etc', certificates: '' });
    builder.remove();
  });

  it('copies for a server that is root, which alone can, and takes the copies away', (t) => {
    const { make } = folders(t);
    const bin = make('bin', 'uv', '\x7fELF…');
    const index = make('index', 'password', 'secret');
    const builder = localBuilder({ searchPath: [bin], certificates: '', index }, true);
    if (!isRoot) {
      assert.throws(() => builder.files(), { code: 'environments_unavailable' });
      builder.remove();
      return;
    }
    const files = builder.files();
    assert.equal(statSync(files.uv).mode & 0o777, 0o755);
    const { uid, mode } = statSync(join(files.index, 'password'));
    assert.deepEqual([uid, mode & 0o777], [65_532, 0o400]);
    assert.deepEqual(builder.files(), files);
    builder.remove();
    assert.ok(!existsSync(files.uv) && !existsSync(files.index));
  });
});

describe('environmentsFolder', () => {
  it('is made', (t) => {
    const { path: parent } = folders(t);
    chmodSync(parent, 0o755);
    const path = join(parent, 'a/b');
    const umask = process.umask(0o077);
    t.after(() => process.umask(umask));
    assert.equal(environmentsFolder(path, isRoot), path);
    assert.ok(statSync(path).isDirectory());
    if (!isRoot) return;
    assert.equal(statSync(path).uid, 65_532);
    assert.equal(statSync(join(parent, 'a')).mode & 0o777, 0o755);
    assert.equal(environmentsFolder(path, isRoot), path);
  });

  it('is none of root’s that the sandbox’s user cannot get to', { skip: !isRoot }, (t) => {
    const { path } = folders(t);
    const link = join(path, 'link');
    assert.equal(environmentsFolder(join(path, 'environments'), true), undefined);
    chmodSync(path, 0o755);
    mkdirSync(join(path, 'closed/environments'), { recursive: true });
    chmodSync(join(path, 'closed'), 0o700);
    symlinkSync(join(path, 'closed/environments'), link);
    assert.equal(environmentsFolder(link, true), undefined);
    chownSync(join(path, 'closed'), 65_532, 65_532);
    assert.equal(environmentsFolder(link, true), link);
  });

  it('is none where it cannot be made', () => {
    assert.equal(environmentsFolder('/dev/null/environments', false), undefined);
  });
});
