import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderFile, renderListing, renderSession } from '../../../src/serve/render-session.ts';
import { fileAnswer } from '../../../src/serve/sessions-mcp.ts';
import { handle, view } from '../support/fake-sessions.ts';

describe('a session as text', () => {
  it('says how to name it and how long it lasts', () => {
    assert.equal(
      renderSession(view),
      [
        `session_id: ${handle}`,
        'Its runs have 30 s, 1 CPU and 512 MiB.',
        'It ends after 600 s without use, and at 2026-01-01T04:00:00.000Z at the latest.',
        'Note: limits.cpu was lowered from 9 to 1, the most that this server allows.',
      ].join('\n'),
    );
  });
});

describe('a listing as text', () => {
  const modified = '2026-01-01T00:00:00.000Z';
  it('has a line for each entry', () => {
    const entries = [
      { path: 'data', kind: 'folder' as const, size: 4096, modified },
      { path: 'data/a.csv', kind: 'file' as const, size: 12_595, modified },
      { path: 'pipe', kind: 'other' as const, size: 0, modified },
    ];
    assert.equal(
      renderListing({ entries, left_out: 7 }),
      'data/\ndata/a.csv (12.3 KiB)\npipe (no regular file)\nand 7 more',
    );
  });

  it('says that there is nothing', () => {
    assert.equal(renderListing({ entries: [], left_out: 0 }), '(nothing)');
  });
});

describe('a file', () => {
  const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.of(0, 255)]);
  const table: [what: string, bytes: Buffer, structured: object, block: object][] = [
    ['text', Buffer.from('ä\n'), { content: 'ä\n', content_base64: null }, { type: 'text', text: 'ä\n' }],
    ['nothing', Buffer.alloc(0), { content: '', content_base64: null }, { type: 'text', text: '' }],
    [
      'bytes',
      Buffer.of(0xff, 0),
      { content: null, content_base64: '/wA=' },
      { type: 'text', text: 'a is no text. As base64:\n/wA=' },
    ],
    [
      'a picture',
      png,
      { content: null, content_base64: png.toString('base64') },
      { type: 'image', data: png.toString('base64'), mimeType: 'image/png' },
    ],
  ];
  for (const [what, bytes, structured, block] of table) {
    it(`comes as ${what}`, () => {
      const { content, structuredContent } = fileAnswer('a', bytes);
      assert.deepEqual(structuredContent, { path: 'a', size: bytes.length, ...structured });
      assert.deepEqual(content, [block]);
    });
  }

  it('of many bytes costs its reader little', () => {
    const file = { path: 'a', size: 20_000, content: null, content_base64: 'AAAA' };
    assert.equal(
      renderFile(file),
      'a has 19.5 KiB that are no text: they are in `content_base64` of the structured result.',
    );
  });

  it('of control characters goes as base64, which is shorter', () => {
    const { structuredContent } = fileAnswer('a', Buffer.alloc(1_000_000, 1));
    assert.equal((structuredContent as { content: null }).content, null);
    assert.ok(JSON.stringify(structuredContent).length < 1_400_000);
  });
});
