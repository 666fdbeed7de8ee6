import { PassThrough } from 'node:stream';

/** The body of a watch, that a test writes. */
export class WatchBody extends PassThrough {
  tell(type: string, object: object): void {
    this.write(`${JSON.stringify({ type, object })}\n`);
  }
}
