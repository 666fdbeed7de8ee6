import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Frame, isLast } from '../../../src/output/frame.ts';
import { createDecoder } from '../../../src/output/decoder.ts';
import { agentLimits, readFrames, readReady, type Source } from '../../../src/sandbox/conversation.ts';
import { helloLine, requestLine } from '../../../src/sandbox/lines.ts';
import { err, exit, lines, numbered, out, rawOut, ready, started } from '../support/frames.ts';
import { pieces, seededRandom } from '../support/random.ts';

describe('requestLine', () => {
  it('is one line of JSON with every field', () => {
    const program = {
      code: 'print(1)\n',
      stdin: 'ä\n',
      args: ['-x'],
      env: { A: '1' },
      files: [],
      environment: '/environments/x',
      mode: 'single' as const,
    };
    const limits = agentLimits(
      { seconds: 1.5, cpu: 1, memory_mb: 64 },
      { outputBytes: 10, maxProcesses: 20, workspaceMb: 16, artifactFiles: 5, artifactBytes: 6 },
      null,
    );
    const line = requestLine('id', program, limits).toString('utf8');
    assert.equal(line.indexOf('\n'), line.length - 1);
    assert.deepEqual(JSON.parse(line), {
      type: 'run',
      execution_id: 'id',
      code: 'print(1)\n',
      stdin: 'ä\n',
      args: ['-x'],
      env: { A: '1' },
      environment: '/environments/x',
      mode: 'single',
      limits: {
        seconds: 1.5,
        output_bytes: 10,
        processes: 20,
        file_bytes: 16_777_216,
        memory_bytes: null,
        artifact_files: 5,
        artifact_bytes: 6,
      },
    });
  });
});

const frames = numbered(
  ready,
  started,
  out('one\n'),
  err('two ä\n'),
  rawOut(Buffer.of(0xff, 0)),
  out('three\n'),
  exit({ stdout_bytes: 12, stderr_bytes: 7 }),
);
const bytes = lines(frames);
const expected = frames.slice(1);

async function* emit(...chunks: Buffer[]): AsyncGenerator<Buffer, void> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

const attachOf = (...chunks: Buffer[]): Source => ({ bytes: emit(...chunks), fromStart: false });
const logOf = (...chunks: Buffer[]): Source => ({ bytes: emit(...chunks), fromStart: true });

interface Read {
  frames: Frame[];
  stray: string | undefined;
  /** Sources that were not asked for. */
  left: number;
}

async function read(...sources: Source[]): Promise<Read> {
  const got: Frame[] = [];
  const reading = readFrames(createDecoder(), isLast, () => Promise.resolve(sources.shift()));
  for (;;) {
    const next = await reading.next();
    if (next.done) return { frames: got, stray: next.value.stray, left: sources.length };
    got.push(next.value);
  }
}

describe('readFrames', () => {
  it('needs one source where that has it all', async () => {
    assert.deepEqual(await read(attachOf(bytes), logOf(bytes)), {
      frames: expected,
      stray: undefined,
      left: 1,
    });
  });

  it('ends at exit, whatever comes after', async () => {
    const more = lines([{ seq: 7, type: 'stdout', text: 'forged' }]);
    assert.deepEqual((await read(attachOf(Buffer.concat([bytes, more])))).frames, expected);
  });

  it('completes an attach that is cut at any byte from the log', async () => {
    for (let cut = 0; cut < bytes.length; cut += 1) {
      const result = await read(attachOf(bytes.subarray(0, cut)), logOf(bytes));
      assert.deepEqual(result, { frames: expected, stray: undefined, left: 0 }, `cut at ${cut}`);
    }
  });

  it('completes an attach that begins at any byte from the log', async () => {
    for (let begin = 0; begin < bytes.length; begin += 1) {
      const result = await read(attachOf(bytes.subarray(begin)), logOf(bytes));
      assert.deepEqual(result.frames, expected, `from ${begin}`);
    }
  });

  it('reads a log again that is cut at any byte', async () => {
    for (let cut = 0; cut < bytes.length; cut += 1) {
      const result = await read(attachOf(), logOf(bytes.subarray(0, cut)), logOf(bytes));
      assert.deepEqual(result.frames, expected, `cut at ${cut}`);
    }
  });

  it('completes any piece of the attach from any pieces of the log', async () => {
    const random = seededRandom(3);
    for (let round = 0; round < 300; round += 1) {
      const begin = Math.floor(random() * bytes.length);
      const end = begin + Math.floor(random() * (bytes.length - begin));
      const cut = Math.floor(random() * bytes.length);
      const result = await read(
        attachOf(...pieces(bytes.subarray(begin, end), random, 50)),
        logOf(...pieces(bytes.subarray(0, cut), random, 50)),
        logOf(...pieces(bytes, random, 50)),
      );
      assert.deepEqual(result.frames, expected, `attach ${begin} to ${end}, log up to ${cut}`);
    }
  });

  it('leaves an attach that lacks a frame at once', async () => {
    let asked = false;
    async function* endless(): AsyncGenerator<Buffer, void> {
      yield lines(frames.slice(0, 2));
      yield lines(frames.slice(3, 4));
      asked = true;
      await new Promise(() => undefined);
    }
    const result = await read({ bytes: endless(), fromStart: false }, logOf(bytes));
    assert.deepEqual(result.frames, expected);
    assert.equal(asked, false);
  });

  it('goes on without frames that the log itself lacks, however many gaps', async () => {
    const kept = frames.filter(({ seq }) => ![2, 4].includes(seq));
    for (const log of [[lines(kept)], kept.map((frame) => lines([frame]))]) {
      const result = await read(attachOf(), logOf(...log));
      assert.deepEqual(result.frames, kept.slice(1));
    }
  });

  it('goes on without a beginning that the log has lost', async () => {
    assert.deepEqual((await read(attachOf(), logOf(lines(frames.slice(4))))).frames, frames.slice(4));
  });

  it('ends without exit where no source has it, and says what was said last', async () => {
    const cut = Buffer.concat([lines(frames.slice(0, 3)), Buffer.from('Killed\n')]);
    assert.deepEqual(await read(attachOf(cut), logOf(cut)), {
      frames: frames.slice(1, 3),
      stray: 'Killed',
      left: 0,
    });
  });

  it('shows each frame before it yields it', async () => {
    const order: string[] = [];
    const reading = readFrames(
      createDecoder(),
      isLast,
      () => Promise.resolve(attachOf(bytes)),
      ({ type }) => order.push(`sees ${type}`),
    );
    for await (const frame of reading) {
      order.push(frame.type);
    }
    assert.deepEqual(order.slice(-2), ['sees exit', 'exit']);
  });

  it('passes on what a source throws', async () => {
    async function* failing(): AsyncGenerator<Buffer, void> {
      yield await Promise.resolve(lines(frames.slice(0, 2)));
      throw new Error('broken');
    }
    await assert.rejects(read({ bytes: failing(), fromStart: false }), /broken/);
  });
});

describe('helloLine', () => {
  it('is one line of JSON that names the modules', () => {
    assert.equal(
      helloLine(['numpy', 'matplotlib.pyplot']).toString('utf8'),
      '{"type":"hello","preload":["numpy","matplotlib.pyplot"]}\n',
    );
    assert.equal(helloLine([]).toString('utf8'), '{"type":"hello","preload":[]}\n');
  });
});

describe('readReady', () => {
  const failed = { numpy: "ModuleNotFoundError: No module named 'numpy'" };
  const answer = lines([{ seq: 0, type: 'ready', python: '3.13.1', failed }]);

  it('gives what could not be imported, however the answer is cut', async () => {
    assert.deepEqual(await readReady(createDecoder(), emit(lines(numbered(ready)))), {});
    for (let cut = 1; cut < answer.length; cut += 1) {
      const got = await readReady(createDecoder(), emit(answer.subarray(0, cut), answer.subarray(cut)));
      assert.deepEqual(got, failed, `cut at ${cut}`);
    }
  });

  it('reads no further: what follows is the run', async () => {
    const stdout = emit(answer, lines(frames.slice(1)));
    await readReady(createDecoder(), { [Symbol.asyncIterator]: () => ({ next: () => stdout.next() }) });
    assert.deepEqual((await read({ bytes: stdout, fromStart: false })).frames, expected);
  });

  it('says that the sandbox ended before, and its last words', async () => {
    await assert.rejects(readReady(createDecoder(), emit()), {
      name: 'SandboxLost',
      cause: 'unknown',
      message: 'The sandbox ended before it was ready.',
    });
    await assert.rejects(
      readReady(createDecoder(), emit(Buffer.from('MemoryError\n'), answer.subarray(0, 20))),
      {
        message: 'The sandbox ended before it was ready. MemoryError',
      },
    );
  });
});
