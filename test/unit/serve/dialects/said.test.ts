import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunEvent } from '../../../../src/schedule/run.ts';
import { createSaid } from '../../../../src/serve/dialects/said.ts';

const base64 = (...bytes: number[]) => Buffer.from(bytes).toString('base64');

function said(...events: RunEvent[]): string {
  const both = createSaid();
  events.forEach((event) => {
    both.see(event);
  });
  return both.read();
}

describe('what a run said', () => {
  it('is both streams in the order in which they came', () => {
    const events: RunEvent[] = [
      { type: 'queued' },
      { seq: 0, type: 'started', execution_id: 'a' },
      { seq: 1, type: 'stdout', text: 'o\n' },
      { seq: 2, type: 'stderr', text: 'e\n' },
      { seq: 3, type: 'stdout', text: 'p\n' },
    ];
    assert.equal(said(...events), 'o\ne\np\n');
  });

  it('keeps a character whole that came in parts, with the other stream in between', () => {
    const events: RunEvent[] = [
      { seq: 1, type: 'stdout', base64: base64(0xe2, 0x82) },
      { seq: 2, type: 'stderr', text: 'e' },
      { seq: 3, type: 'stdout', base64: base64(0xac) },
    ];
    assert.equal(said(...events), 'e€');
  });

  it('replaces what is no UTF-8, to the end', () => {
    assert.equal(said({ seq: 1, type: 'stdout', base64: base64(0x61, 0xff, 0x62, 0xe2) }), 'a\ufffdb\ufffd');
  });
});
