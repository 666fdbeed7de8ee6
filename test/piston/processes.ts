import { readFileSync } from 'node:fs';

const pageBytes = 4096;
const tickMs = 10;

/** The processes below one. */
export function familyOf(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...familyOf(child)]);
}

export interface Usage {
  pid: number;
  /** Bytes that it shares with no file: what a cgroup counts as its own. */
  own: number;
  /** With that of children that have ended. */
  cpuMs: number;
}

export function usageOf(pids: number[]): Usage[] {
  return pids.map((pid) => {
    const [, resident = 0, shared = 0] = read(`/proc/${pid}/statm`).split(' ').map(Number);
    // The name of the program, in brackets, may hold spaces; state is the first field after it.
    const fields = read(`/proc/${pid}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number);
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + each, 0);
    return { pid, own: (resident - shared) * pageBytes, cpuMs: ticks * tickMs };
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended
  }
}
