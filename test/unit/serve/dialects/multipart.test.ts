import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { readMultipart } from '../../../../src/serve/dialects/multipart.ts';
import { forever } from '../../support/blobs.ts';

const boundary = 'x-boundary';

function part(head: string, content: string | Buffer): Buffer {
  const disposition = `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`;
  return Buffer.concat([Buffer.from(disposition), Buffer.from(content as string), Buffer.from('\r\n')]);
}

const file = (name: string, content: string | Buffer) => part(`name="file"; filename="${name}"`, content);

/** A request whose body comes in chunks of so many bytes. */
function request(
  parts: Buffer[],
  { step = 7, end = `--${boundary}--\r\n`, type = boundary } = {},
): IncomingMessage {
  const body = Buffer.concat([...parts, Buffer.from(end)]);
  const chunks = Array.from({ length: Math.ceil(body.length / step) }, (_, index) =>
    body.subarray(index * step, (index + 1) * step),
  );
  const headers = { 'content-type': type === '' ? 'text/plain' : `multipart/form-data; boundary=${type}` };
  return Object.assign(Readable.from(chunks), { headers }) as unknown as IncomingMessage;
}

const most = { files: 3, bytes: 1000 };

describe('readMultipart', () => {
  it('reads files with their names, folders included, and reads over fields', async () => {
    const binary = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const files = await readMultipart(
      request([
        part('name="entity_id"', 'x'),
        file('dir/ä b.csv', 'a,b'),
        file('bin', binary),
        file('empty', ''),
      ]),
      most,
      forever,
    );
    assert.deepEqual(
      files.map(({ name, bytes }) => [name, bytes]),
      [
        ['dir/ä b.csv', Buffer.from('a,b')],
        ['bin', binary],
        ['empty', Buffer.alloc(0)],
      ],
    );
  });

  it('has no files where there are none', async () => {
    assert.deepEqual(await readMultipart(request([part('name="a"', 'b')]), most, forever), []);
  });

  it('takes what has no file name for a field', async () => {
    const nameless = part('name="file"\r\nContent-Type: application/octet-stream', 'x');
    assert.deepEqual(await readMultipart(request([nameless]), most, forever), []);
  });

  for (const [name, parts, options, kind] of [
    ['too many files', Array.from({ length: 4 }, () => file('a', 'x')), {}, 'count'],
    [
      'so many fields that a file after them would be passed over',
      [...Array.from({ length: 40 }, () => part('name="a"', 'b')), file('a', 'x')],
      {},
      'count',
    ],
    ['a file that is too large', [file('a', 'x'.repeat(1001))], {}, 'size'],
    [
      'files that are too large together',
      [file('a', 'x'.repeat(600)), file('b', 'x'.repeat(600))],
      {},
      'size',
    ],
    ['a form without its end', [file('a', 'x')], { end: '' }, 'form'],
    ['another type', [file('a', 'x')], { type: '' }, 'form'],
  ] as const) {
    it(`refuses ${name}, and reads what is left of it`, async () => {
      const asked = request([...parts], options);
      await assert.rejects(readMultipart(asked, most, forever), { name: 'MultipartFault', kind });
      asked.resume();
      if (!asked.readableEnded) await new Promise((resolve) => asked.once('end', resolve));
    });
  }

  it('ends when nobody waits for it', async () => {
    const abort = new AbortController();
    const stalled = Object.assign(new Readable({ read: () => undefined }), {
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    }) as unknown as IncomingMessage;
    const reading = readMultipart(stalled, most, abort.signal);
    abort.abort(new Error('gone'));
    await assert.rejects(reading, { message: 'gone' });
    stalled.destroy();
  });
});
