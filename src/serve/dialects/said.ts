import { StringDecoder } from 'node:string_decoder';
import { frameBytes } from '../../output/frame.ts';
import type { RunEvent } from '../../schedule/run.ts';

/** Both streams of a run as one text, in the order in which they came. A character stays whole, though it came in parts. */
export function createSaid() {
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  let text = '';
  return {
    see(event: RunEvent): void {
      if (event.type === 'stdout' || event.type === 'stderr')
        text += decoders[event.type].write(frameBytes(event));
    },
    /** All of it, once the run has ended. */
    read(): string {
      return text + decoders.stdout.end() + decoders.stderr.end();
    },
  };
}
