import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '../../src');

interface Source {
  /** Path below src/. */
  path: string;
  /** Its folder below src/, '' for a file of src/ itself. */
  folder: string;
  lines: number;
  /** Folders of src/ that it imports from, other than its own; '' for files of src/ itself. */
  folders: string[];
  /** Files of src/ that it imports. */
  files: string[];
  /** Packages, without Node's own. */
  packages: string[];
}

const sources = globSync('**/*.ts', { cwd: root }).map(read);

function read(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const imported = [...text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*'([^']+)'/g)].map(
    ([, name]) => name ?? '',
  );
  const files = imported
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(root, join(root, dirname(path), name)))
    .filter((file) => !file.startsWith('..'));
  const folder = folderOf(path);
  return {
    path,
    folder,
    lines: text.split('\n').length - 1,
    files,
    folders: [...new Set(files.map(folderOf))].filter((other) => other !== folder),
    packages: imported.filter((name) => !name.startsWith('.') && !name.startsWith('node:')).map(packageOf),
  };
}

function folderOf(path: string): string {
  const folder = dirname(path);
  return folder === '.' ? '' : (folder.split('/')[0] ?? '');
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Folders of src/ that each folder may import from. What a folder may take from src/ itself is told below. */
const allowedFolders: Record<string, string[]> = {
  request: [],
  output: [],
  result: [],
  artifacts: ['output', 'request', 'result'],
  admission: ['request', 'result'],
  schedule: ['admission', 'observe', 'output', 'request', 'result'],
  sessions: ['admission', 'output', 'request', 'result', 'schedule'],
  piston: ['result'],
  inputs: ['request', 'result'],
  environments: ['admission', 'output', 'request', 'result', 'schedule'],
  sandbox: ['output', 'piston', 'request', 'result', 'schedule'],
  observe: ['result', 'schedule'],
  serve: ['artifacts', 'inputs', 'observe', 'output', 'piston', 'request', 'result', 'schedule', 'sessions'],
  command: ['artifacts', 'output', 'request', 'result', 'sandbox', 'serve'],
  '': [
    'admission',
    'artifacts',
    'command',
    'environments',
    'inputs',
    'observe',
    'piston',
    'request',
    'result',
    'sandbox',
    'schedule',
    'serve',
    'sessions',
  ],
};

/** Folders that may import a package; a package that is not here may be imported by all. */
const allowedUsers: Record<string, string[]> = {
  '@kubernetes/client-node': ['sandbox'],
  ws: ['sandbox'],
  undici: ['sandbox', 'sessions', 'inputs', 'piston'],
  '@aws-sdk/client-s3': ['artifacts'],
  '@fastify/busboy': ['serve'],
  'mime-types': ['artifacts'],
  semver: ['piston'],
  express: ['serve'],
  '@modelcontextprotocol/express': ['serve'],
  '@modelcontextprotocol/node': ['serve'],
  '@modelcontextprotocol/server': ['serve', 'command'],
  'prom-client': ['observe'],
  pino: ['observe'],
};

/** Files of src/ itself that hold no logic of the way of a request. */
const compositionRoots = ['app.ts', 'main.ts', 'server.ts'];

describe('imports', () => {
  it('finds the sources', () => {
    assert.ok(sources.length > 40, `${sources.length} files`);
    assert.deepEqual(
      [...new Set(sources.map(({ folder }) => folder))].sort(),
      Object.keys(allowedFolders).sort(),
      'each folder of src/ has its line in allowedFolders',
    );
  });

  it('takes packages only where they belong', () => {
    const wrong = sources.flatMap(({ path, folder, packages }) =>
      packages
        .filter((name) => !(allowedUsers[name] ?? [folder]).includes(folder))
        .map((name) => `${path} imports ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('imports no folder that it must not know', () => {
    const wrong = sources.flatMap(({ path, folder, folders }) =>
      folders
        .filter((other) => other !== '' && !(allowedFolders[folder] ?? []).includes(other))
        .map((other) => `${path} imports ${other}/`),
    );
    assert.deepEqual(wrong, []);
  });

  it('keeps the composition root for main and the commands', () => {
    const wrong = sources
      .filter(({ folder }) => folder !== '' && folder !== 'command')
      .flatMap(({ path, files }) =>
        files.filter((file) => compositionRoots.includes(file)).map((file) => `${path} imports ${file}`),
      );
    assert.deepEqual(wrong, []);
  });

  it('keeps settings out of the stages, which say what they need', () => {
    const stages = ['request', 'inputs', 'admission', 'output', 'result', 'schedule', 'serve', 'observe'];
    const wrong = sources
      .filter(
        ({ folder, files }) =>
          stages.includes(folder) && files.some((file) => file === 'config.ts' || file === 'settings.ts'),
      )
      .map(({ path }) => path);
    assert.deepEqual(wrong, []);
  });

  it('reads the environment for settings alone', () => {
    const wrong = sources
      .filter(({ path }) => path !== 'config.ts' && path !== 'settings.ts')
      .filter(({ path }) => readFileSync(join(root, path), 'utf8').includes('process.env'))
      .map(({ path }) => path);
    assert.deepEqual(wrong, []);
  });

  it('has no file of more than 300 lines', () => {
    const long = sources.filter(({ lines }) => lines > 300).map(({ path, lines }) => `${path}: ${lines}`);
    assert.deepEqual(long, []);
  });
});
