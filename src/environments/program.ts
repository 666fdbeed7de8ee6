import { createCapture, type Capture } from '../output/capture.ts';
import type { Frame } from '../output/frame.ts';
import type { Backend, Claim, Program, SandboxSpec } from '../schedule/backend.ts';

/** Most bytes that are kept of each stream of such a program, whatever programs of callers may write. */
export const keptBytes = 1_048_576;

/** Runs a program of this server's own in a sandbox of its own. Throws what the backend does, and the signal's reason. */
export async function runProgram(
  backend: Pick<Backend, 'open'>,
  spec: SandboxSpec & { claim: Claim },
  { code, stdin = '', environment = null }: Pick<Program, 'code'> & Partial<Program>,
  signal: AbortSignal,
  onFrame: (frame: Frame) => void = () => undefined,
): Promise<Capture> {
  const capture = createCapture(keptBytes);
  const sandbox = await backend.open(spec, signal);
  try {
    const program: Program = {
      code,
      stdin,
      args: [],
      env: {},
      files: [],
      environment,
      mode: 'single',
      outputBytes: keptBytes,
    };
    for await (const frame of sandbox.run(spec.claim, program, signal)) {
      capture.add(frame);
      onFrame(frame);
    }
    return capture.read();
  } finally {
    // Nobody waits for it to be taken away.
    void sandbox.dispose();
  }
}
