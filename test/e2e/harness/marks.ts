import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** A name for a program's processes; the kernel keeps 15 characters, and children inherit it. */
export function newMark(): string {
  return `e2e${randomBytes(6).toString('hex')}`;
}

/** Python that gives this process, and all that it forks, the mark. */
export function marked(mark: string, code: string): string {
  return `open('/proc/self/comm', 'w').write('${mark}')\n${code}`;
}

/** This machine's processes with a mark, whatever namespaces they are in. */
export function processesOf(mark: string): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && nameOf(name) === mark);
}

function nameOf(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
  } catch {
    return undefined; // it has just ended
  }
}
