import type { FakePod } from './pod.ts';

/** Plays a pod from its creation on. */
export type Script = (pod: FakePod) => Promise<void> | void;

export const exited = (stdoutBytes: number, changes: object = {}) => ({
  type: 'exit' as const,
  cause: 'exited',
  exit_code: 0,
  signal: null,
  stdout_bytes: stdoutBytes,
  stderr_bytes: 0,
  ran_seconds: 0.01,
  kept: false,
  files: 0,
  left_out: 0,
  ...changes,
});

/** Starts, and says that it is ready once it is asked for that. */
export function starts(pod: FakePod, failed: Record<string, string> = {}): void {
  pod.start();
  void pod.hello.then(() => {
    pod.say({ type: 'ready', python: '3.13.5', failed });
  });
}

/** Starts, waits for its request and begins. */
export async function started(pod: FakePod) {
  starts(pod);
  const asked = await pod.asked;
  pod.say({ type: 'started', execution_id: asked.execution_id });
  return asked;
}

/** "Runs" code by writing it to stdout. */
export const echo: Script = async (pod) => {
  const { code } = await started(pod);
  pod.say({ type: 'stdout', text: code });
  pod.say(exited(Buffer.byteLength(code)));
  pod.end({ exitCode: 0, reason: 'Completed' });
};

/** Writes, and never ends by itself. */
export const endless: Script = async (pod) => {
  await started(pod);
  pod.say({ type: 'stdout', text: 'still here\n' });
};
