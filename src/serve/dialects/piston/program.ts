import type { Placed } from '../exchange.ts';
import { launch, type Launched, ownName } from '../launch.ts';
import type { AskedFile } from './ask.ts';

/**
 * The program of a request, and the files that stand in its working directory. The main file is the first that is text. A
 * single one without a name, or one that is called as the engine calls its code, is the code itself. Another is run by its
 * own name.
 */
export function programOf(files: readonly AskedFile[]): Launched {
  const placed = new Map(files.map(({ name, content, encoding }) => [name, Buffer.from(content, encoding)]));
  const main = files.find(({ encoding }) => encoding === 'utf8');
  if (!main) throw new Error('The files have been checked: one is text.');
  const isAlone = files.length === 1;
  if (main.name === ownName || (isAlone && !main.isNamed)) {
    const code = isAlone ? main.content : (placed.get(main.name)?.toString('utf8') ?? '');
    placed.delete(main.name);
    return { code, files: listOf(placed) };
  }
  return launch(listOf(placed), main.name);
}

function listOf(placed: Map<string, Buffer>): Placed[] {
  return [...placed].map(([path, bytes]) => ({ path, bytes }));
}
