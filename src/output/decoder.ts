import { parseFrame, type Frame } from './frame.ts';

/** The agent's lines stay under 16 KiB; a longer one is not the agent's. */
const maxLineBytes = 65_536;

/**
 * Frames in order, each once, from bytes that may repeat (a log read again) or lack some (a late attach). It serves a
 * sandbox for its whole life: numbers go on from run to run.
 */
export interface Decoder {
  /** Bytes of one source, as they come. */
  push(bytes: Uint8Array): Frame[];
  /** The next bytes are another source, from its beginning. */
  restart(): void;
  /** A frame is missing before what came last: what follows is held back until a source has it. */
  readonly gap: boolean;
  /** Goes on without the missing frames: what was held back. */
  skipGap(): Frame[];
  /** The last line that was no frame, for a person who asks why a sandbox ended. */
  readonly stray: string | undefined;
}

export function createDecoder(): Decoder {
  let next: number | undefined;
  let tail = Buffer.alloc(0);
  let overlong = false;
  let held: Frame[] = [];
  let stray: string | undefined;

  function lines(bytes: Uint8Array): string[] {
    const data = Buffer.concat([tail, bytes]);
    const found: string[] = [];
    let begin = 0;
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, begin)) {
      if (!overlong) found.push(data.toString('utf8', begin, end));
      overlong = false;
      begin = end + 1;
    }
    tail = data.subarray(begin);
    if (tail.length > maxLineBytes) {
      tail = Buffer.alloc(0);
      overlong = true;
    }
    return found;
  }

  function accept(frame: Frame): Frame[] {
    // A late attach has not seen the beginning; that it has not missed more, the kind of its first frame shows.
    const isFirst = frame.seq === 0 || frame.type === 'ready' || frame.type === 'started';
    if (next === undefined && isFirst) next = frame.seq;
    if (next !== undefined && frame.seq < next) return [];
    if (frame.seq !== next) {
      held.push(frame);
      return [];
    }
    next += 1;
    return [frame];
  }

  return {
    push(bytes) {
      const accepted: Frame[] = [];
      for (const line of lines(bytes)) {
        const frame = parseFrame(line);
        if (frame) accepted.push(...accept(frame));
        else if (line.trim() !== '') stray = line.slice(0, 500);
      }
      return accepted;
    },
    restart() {
      tail = Buffer.alloc(0);
      overlong = false;
      held = [];
    },
    get gap() {
      return held.length > 0;
    },
    skipGap() {
      const waiting = held;
      held = [];
      const first = waiting[0];
      if (!first) return [];
      next = first.seq;
      return waiting.flatMap(accept);
    },
    get stray() {
      return stray;
    },
  };
}
