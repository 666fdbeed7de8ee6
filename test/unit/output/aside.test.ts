import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAside } from '../../../src/output/aside.ts';
import { exit, numbered, out, started } from '../support/frames.ts';

type Frames = Parameters<typeof numbered>;

const aside = (...frames: Frames) => {
  const picked = createAside();
  for (const frame of numbered(...frames)) picked.add(frame);
  return picked.read();
};
const data = (text: string) => ({ type: 'data', base64: Buffer.from(text).toString('base64') }) as const;
const file = (kind: 'text' | 'html' | 'figure' | 'output', path: string) =>
  ({ type: 'file', kind, path, size: 1 }) as const;
const fileEnd = { type: 'file_end', size: 1 } as const;
const leftOut = (path: string) => ({ type: 'left_out', path, reason: 'size' }) as const;
const end = { type: 'end' } as const;

describe('what a run leaves aside', () => {
  it('is nothing where it leaves nothing', () => {
    assert.deepEqual(aside(started, out('a'), exit()), {
      value: null,
      leftOut: { total: 0, files: [] },
    });
  });

  it('is the value, put together from its parts, and not from those of files', () => {
    const { value } = aside(
      exit({ files: 3 }),
      ...[file('text', 'value.txt'), data('[1, '), data('2]'), fileEnd],
      ...[file('html', 'value.html'), data('<b>'), fileEnd],
      ...[file('output', 'a.txt'), data('not this'), fileEnd],
      end,
    );
    assert.deepEqual(value, { text: '[1, 2]', html: '<b>' });
  });

  it('is an empty value where the value shows as nothing', () => {
    assert.deepEqual(aside(exit({ files: 1 }), file('text', 'value.txt'), fileEnd, end).value, {
      text: '',
      html: null,
    });
  });

  it('holds the value to its bound whatever comes', () => {
    const { value } = aside(exit({ files: 1 }), file('text', 'value.txt'), data('x'.repeat(70_000)), fileEnd);
    assert.equal(value?.text.length, 65_536);
  });

  it('counts what is left out, and what was announced and could not be sent', () => {
    const { leftOut: left } = aside(
      exit({ files: 3, left_out: 5 }),
      ...[file('output', 'a'), data('a'), fileEnd],
      ...[leftOut('b'), leftOut('c')],
      end,
    );
    assert.equal(left.total, 7);
    assert.deepEqual(left.files.at(0), { path: 'b', reason: 'size' });
  });
});
