import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { stopwatch, type Arm } from './arm.ts';

/** `python3 -c` on this machine: no sandbox, no cluster. */
export function localArm(python: string): Arm {
  return {
    name: 'local',
    async run({ code }, signal) {
      const clock = stopwatch();
      const child = spawn(python, ['-c', code], { stdio: ['ignore', 'pipe', 'pipe'], signal });
      const closed = once(child, 'close') as Promise<[number | null]>;
      const [stdout, stderr, [exitCode]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        closed,
      ]);
      return { exitCode, stdout, stderr, seconds: clock(), marks: {} };
    },
  };
}
