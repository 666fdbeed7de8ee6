import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { command, output, root } from '../../test/e2e/harness/command.ts';
import { say } from '../log.ts';

export interface LocalPython {
  path: string;
  /** "3.13.0, numpy 2.5.5, pandas 3.1.1". */
  versions: string;
}

const requirements = join(root, 'images/sandbox/requirements.txt');

export const cacheFolder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vivarium');

/** An interpreter of this machine with the image's libraries, made once and kept under the user's cache. */
export async function localPython(): Promise<LocalPython> {
  const base = await interpreter();
  const key = createHash('sha256').update(base.version).update(readFileSync(requirements)).digest('hex');
  const folder = join(cacheFolder, `bench-python-${key.slice(0, 12)}`);
  const path = join(folder, 'bin/python3');
  const finished = join(folder, 'finished');
  if (!existsSync(finished)) {
    say(`installing the image's libraries for Python ${base.version} of this machine`);
    await rm(folder, { recursive: true, force: true });
    await output(base.path, ['-m', 'venv', folder], { seconds: 60 });
    await installLibraries(path);
    writeFileSync(finished, '');
  }
  const code =
    'import sys, numpy as n, pandas as p; print(sys.version.split()[0], n.__version__, p.__version__)';
  const [python = '', numpy = '', pandas = ''] = (await output(path, ['-c', code])).trim().split(' ');
  return { path, versions: `${python}, numpy ${numpy}, pandas ${pandas}` };
}

/** The image's own minor version if there is one. `BENCH_PYTHON` names another. */
async function interpreter(): Promise<{ path: string; version: string }> {
  const dockerfile = readFileSync(join(root, 'images/sandbox/Dockerfile'), 'utf8');
  const minor = /^FROM python:(\d+\.\d+)/m.exec(dockerfile)?.[1] ?? '3';
  const managed = globSync(join(homedir(), `.pyenv/versions/${minor}.*/bin/python3`));
  const candidates = [process.env.BENCH_PYTHON, `python${minor}`, ...managed, 'python3'];
  for (const path of candidates.filter((candidate) => candidate !== undefined)) {
    const asked = await command(path, ['-c', 'import sys, ensurepip; print(sys.version.split()[0])']).catch(
      () => undefined,
    );
    if (asked?.code === 0) return { path, version: asked.stdout.trim() };
  }
  throw new Error('There is no Python with venv here: install python3-venv, or name one with BENCH_PYTHON.');
}

/** As the image has them; where this Python has no such wheels the same versions, else any. */
async function installLibraries(python: string): Promise<void> {
  const pins = readFileSync(requirements, 'utf8').match(/^(numpy|pandas)==\S+/gm) ?? [];
  const attempts = [['--require-hashes', '-r', requirements], pins, ['numpy', 'pandas']];
  let last = '';
  for (const what of attempts) {
    const pip = ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', ...what];
    const { code, stderr } = await command(python, pip, { seconds: 420 });
    if (code === 0) return;
    last = stderr;
  }
  throw new Error(`The libraries cannot be installed:\n${last}`);
}
