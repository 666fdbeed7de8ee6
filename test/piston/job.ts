import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Ask } from './ask.ts';
import { inOrder, runStage, type Stage } from './stage.ts';

export interface Answer {
  compile?: Stage;
  run: Stage;
  language: string;
  version: string;
}

interface Named {
  name: string;
  bytes: Buffer;
  isText: boolean;
}

/** Runs a program in a folder of its own, and then again without what it left. What Piston answers with 500 is thrown. */
export async function runJob(ask: Ask, root: string, signal: AbortSignal): Promise<Answer> {
  const { runtime, limits, stdin } = ask;
  const { language, version } = runtime;
  const box = await mkdtemp(join(root, 'box-'));
  const folder = join(box, 'submission');
  const files = ask.files.map(nameFile);
  const stage = async (which: 'compile' | 'run', script: string, args: string[]) => {
    const env = {
      HOME: '/tmp',
      LIBC_FATAL_STDERR_: '1',
      PATH: `${runtime.programs}:/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin:.`,
      PISTON_LANGUAGE: language,
      // What a compiler leaves that is ended goes with the box.
      ...(which === 'compile' && { TMPDIR: box }),
    };
    const bounds = {
      timeout: limits[`${which}_timeout`],
      cpu_time: limits[`${which}_cpu_time`],
      memory_limit: limits[`${which}_memory_limit`],
      output_max_size: limits.output_max_size,
    };
    return inOrder(await runStage({ script, args, stdin, folder, env }, bounds, signal));
  };
  try {
    await mkdir(folder);
    for (const file of files) await put(folder, file);
    const names = files.filter(({ isText }) => isText).map(({ name }) => name);
    const compile = runtime.compile && (await stage('compile', runtime.compile, names));
    const failed = compile && compile.code !== 0 ? compile : undefined;
    const run = failed ?? (await stage('run', runtime.run, [names[0] ?? '', ...argumentsOf(ask.args)]));
    return { ...(compile && { compile }), run, language, version };
  } finally {
    await rm(box, { recursive: true, force: true });
  }
}

/** What names there are, Piston does not check: another thing than a text fails as it is used. */
function nameFile({ name, content, encoding }: Ask['files'][number], place: number): Named {
  const known = encoding === 'base64' || encoding === 'hex' ? encoding : 'utf8';
  const given = name === undefined || name === null || name === '' ? `file${place}.code` : name;
  return { name: given as string, bytes: Buffer.from(content, known), isText: known === 'utf8' };
}

async function put(folder: string, { name, bytes }: Named): Promise<void> {
  const path = join(folder, name);
  if (relative(folder, path).startsWith('..')) throw new Error(`${name} tries to escape`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}

/** What can be spread is; a text gives its characters, and a NUL ends an argument. */
function argumentsOf(args: unknown): string[] {
  return [...(args as Iterable<unknown>)].map((each) => String(each).split('\0')[0] ?? '');
}
