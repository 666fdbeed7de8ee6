import type { Asked, FakePod, Line } from './pod.ts';
import { exited, type Script } from './scripts.ts';

/**
 * An agent whose sandbox stays. A run prints its code after the number that it has in its interpreter; `wait` waits to be
 * stopped, `die` ends the interpreter, `fade` some time after its run; `vanish` ends the sandbox, `slow` waits for what the test says, and `deaf` hears nothing.
 */
export function staying(slow: Promise<unknown> = Promise.resolve()): Script {
  return async (pod) => {
    pod.start();
    const files = new Map<string, Buffer>();
    let runs = 0;
    for (let line = await pod.next(); line; line = await pod.next()) {
      if (line.type === 'run') {
        runs += 1;
        if (!(await program(pod, line, runs, slow))) runs = 0;
        if (line.code === 'vanish') return;
      } else answer(pod, line, files);
    }
    pod.end({ exitCode: 0, reason: 'Completed' });
  };
}

/** Whether the interpreter goes on. */
async function program(pod: FakePod, line: Asked, runs: number, slow: Promise<unknown>): Promise<boolean> {
  const { execution_id, code, mode } = line;
  const kept = mode === 'cell' && code !== 'die' && code !== 'wait';
  pod.say({ type: 'started', execution_id, kept: mode === 'cell' && runs > 1 });
  const text = `${mode} ${runs}: ${code}\n`;
  pod.say({ type: 'stdout', text });
  if (code === 'vanish') pod.end({ exitCode: 137, reason: 'OOMKilled' });
  if (code === 'vanish') return false;
  if (code === 'slow') await slow;
  if (code === 'wait') await stopped(pod, execution_id);
  const cause = code === 'wait' ? { cause: 'stopped', exit_code: null } : {};
  pod.say(exited(text.length, { kept, ...cause }));
  return kept && code !== 'fade';
}

async function stopped(pod: FakePod, id: string): Promise<void> {
  for (let line = await pod.next(); line; line = await pod.next()) {
    if (line.type === 'stop' && line.execution_id === id) return;
  }
}

function answer(pod: FakePod, line: Line, files: Map<string, Buffer>): void {
  switch (line.type) {
    case 'hello':
      pod.say({ type: 'ready', python: '3.13.5', failed: {} });
      break;
    case 'write': {
      const bytes = Buffer.from(line.base64, 'base64');
      files.set(line.path, bytes);
      pod.say({ type: 'written', path: line.path, size: bytes.length });
      break;
    }
    case 'list':
      for (const [path, { length: size }] of files)
        pod.say({ type: 'entry', path, kind: 'file', size, modified: 1.5 });
      pod.say({ type: 'listed', entries: files.size, left_out: 0 });
      break;
    case 'read': {
      const bytes = files.get(line.path);
      if (!bytes) {
        pod.say({ type: 'refused', path: line.path, reason: 'missing' });
        break;
      }
      pod.say({ type: 'file', kind: 'read', path: line.path, size: bytes.length });
      pod.say({ type: 'data', base64: bytes.toString('base64') });
      pod.say({ type: 'file_end', size: bytes.length });
      break;
    }
    default:
  }
}
