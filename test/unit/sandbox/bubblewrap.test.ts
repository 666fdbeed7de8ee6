import assert from 'node:assert/strict';
import { existsSync, lstatSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bubblewrapArguments, installAgent } from '../../../src/sandbox/bubblewrap.ts';

/** What of the root there is on this machine. */
function rootArguments(): string[] {
  return ['/bin', '/sbin', '/lib', '/lib64', '/lib32']
    .filter((path) => existsSync(path))
    .flatMap((path) =>
      lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path],
    );
}

function systemArguments(): string[] {
  return ['/etc/alternatives', '/etc/ld.so.cache', '/etc/localtime', '/etc/mime.types', '/etc/fonts']
    .filter((path) => existsSync(path))
    .flatMap((path) => ['--ro-bind', path, path]);
}

const folders = { agent: '/some/agent', environments: undefined, builder: undefined };

describe('bubblewrapArguments', () => {
  it('are exactly these', () => {
    assert.deepEqual(bubblewrapArguments(folders, 16, 2), [
      '--unshare-all',
      '--as-pid-1',
      '--die-with-parent',
      '--new-session',
      '--clearenv',
      ...['--cap-drop', 'ALL'],
      ...['--uid', '65532', '--gid', '65532'],
      ...['--hostname', 'sandbox'],
      ...['--ro-bind', '/usr', '/usr'],
      ...rootArguments(),
      ...systemArguments(),
      ...['--ro-bind', '/some/agent', '/opt/vivarium/agent'],
      ...['--proc', '/proc', '--dev', '/dev'],
      ...['--size', '16777216', '--tmpfs', '/tmp'],
      ...['--size', '16777216', '--tmpfs', '/workspace'],
      ...['--symlink', '/workspace', '/mnt/data'],
      ...['--remount-ro', '/', '--chdir', '/workspace'],
      ...['--setenv', 'PATH', '/usr/local/bin:/usr/bin:/bin'],
      ...['--setenv', 'LANG', 'C.UTF-8'],
      ...['--setenv', 'HOME', '/workspace'],
      ...['--setenv', 'MPLBACKEND', 'Agg'],
      ...['--setenv', 'PYTHON_CPU_COUNT', '2'],
      ...['--setenv', 'OMP_NUM_THREADS', '2'],
      ...['--setenv', 'OPENBLAS_NUM_THREADS', '2'],
      ...['--', '/usr/bin/python3', '-I', '-S', '/opt/vivarium/agent'],
    ]);
  });
});

describe('bubblewrapArguments with environments', () => {
  const has = (all: string[], ...some: string[]) =>
    all.some((_, at) => some.every((each, offset) => all[at + offset] === each));
  const environments = '/cache/environments';

  it('lets a run read them', () => {
    const given = bubblewrapArguments({ ...folders, environments }, 16, 1);
    assert.ok(has(given, '--ro-bind', environments, '/environments'));
    assert.ok(!given.includes('--share-net') && !given.includes('/opt/vivarium/uv'));
  });

  it('lets a build write them, with a network, uv and the credentials of the index', () => {
    const builder = { uv: '/bin/uv', index: '/etc/index', certificates: '/etc/ca.pem' };
    const given = bubblewrapArguments({ ...folders, environments, builder }, 16, 1);
    assert.ok(has(given, '--unshare-all', '--share-net'));
    assert.ok(has(given, '--bind', environments, '/environments'));
    assert.ok(has(given, '--ro-bind', '/bin/uv', '/opt/vivarium/uv'));
    assert.ok(has(given, '--ro-bind', '/etc/index', '/index'));
    assert.ok(has(given, '--setenv', 'SSL_CERT_FILE', '/etc/vivarium-certificates.pem'));
    assert.ok(given.includes('/etc/resolv.conf'));
  });

  it('needs neither credentials nor certificates', () => {
    const builder = { uv: '/bin/uv', index: '', certificates: '' };
    const given = bubblewrapArguments({ ...folders, environments, builder }, 16, 1);
    assert.ok(!given.includes('/index') && !given.includes('SSL_CERT_FILE'));
  });
});

describe('installAgent', () => {
  it('uses the agent where it is', () => {
    const { folder, remove } = installAgent(false);
    remove();
    assert.ok(existsSync(join(folder, '__main__.py')));
  });

  it('copies it to where another user can read it, and takes the copy away', () => {
    const { folder, remove } = installAgent(true);
    assert.ok(existsSync(join(folder, '__main__.py')));
    assert.equal(statSync(join(folder, '..')).mode & 0o777, 0o755);
    remove();
    assert.ok(!existsSync(join(folder, '..')));
  });
});
