import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Frame, RefusedReason } from '../../../src/output/frame.ts';
import { workspaceFiles } from '../../../src/sandbox/workspace.ts';
import { numbered, type Unnumbered } from '../support/frames.ts';

const never = new AbortController().signal;

function answering(...frames: Unnumbered[]) {
  return workspaceFiles((_lines: unknown, take: (frame: Frame) => void) => {
    numbered(...frames).forEach(take);
    return Promise.resolve();
  });
}

describe('a workspace', () => {
  it('is listed', async () => {
    const files = answering(
      { type: 'entry', path: 'a', kind: 'folder', size: 0, modified: 1.5 },
      { type: 'entry', path: 'a/b', kind: 'file', size: 3, modified: 2 },
      { type: 'listed', entries: 2, left_out: 1 },
    );
    assert.deepEqual(await files.list('', { recursive: true }, never), {
      entries: [
        { path: 'a', kind: 'folder', size: 0, modified: 1.5 },
        { path: 'a/b', kind: 'file', size: 3, modified: 2 },
      ],
      left_out: 1,
    });
  });

  it('has files that are read whole or not', async () => {
    const read = (announced: number) =>
      answering(
        { type: 'file', kind: 'read', path: 'a', size: announced },
        { type: 'data', base64: 'YWI=' },
        { type: 'data', base64: 'Yw==' },
        { type: 'file_end', size: 3 },
      ).read('a', 10, never);
    assert.equal((await read(3)).toString(), 'abc');
    await assert.rejects(read(4), { code: 'file_unusable', message: '"a" changed while it was read.' });
  });

  const refusals: [RefusedReason, code: string, words: RegExp][] = [
    ['missing', 'file_not_found', /There is no "a" in the workspace/],
    ['type', 'file_unusable', /"a" is not of the kind/],
    ['name', 'file_unusable', /"a" is no path/],
    ['size', 'too_large', /"a" has 20 bytes, which is more/],
    ['full', 'workspace_full', /no room for "a"/],
    ['unreadable', 'file_unusable', /"a" cannot be opened/],
  ];
  for (const [reason, code, message] of refusals) {
    it(`says why the agent refuses: ${reason}`, async () => {
      const size = reason === 'size' ? { size: 20 } : {};
      const files = answering({ type: 'refused', path: 'a', reason, ...size });
      await assert.rejects(files.read('a', 10, never), { code, message });
      await assert.rejects(files.write('a', Buffer.alloc(0), never), { code, message });
    });
  }
});
