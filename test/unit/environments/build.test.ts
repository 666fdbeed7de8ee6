import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { build, type BuildRequest } from '../../../src/environments/build.ts';
import { ServiceError } from '../../../src/result/errors.ts';
import { AlreadyThere, SandboxLost, type Trace } from '../../../src/schedule/backend.ts';
import { aborted, emit, fakeBackend } from '../support/fake-backend.ts';
import { err, exit, numbered, out, started } from '../support/frames.ts';
import { mockClock } from '../support/mock-clock.ts';

const key = 'abcdefghijklmnopqrstuvwxyz';
const never = new AbortController().signal;
const settings = { buildSeconds: 300, buildMemoryMb: 1024, maxCpu: 2, startTimeoutSeconds: 60 };
const image = { image: 'vivarium-sandbox:1', runtimeClass: '' };

const request: BuildRequest = {
  root: '/environments',
  key,
  requirements: ['polars'],
  index: 'https://index.example.org/simple',
  denied: [],
  evict: [],
  recorded: [],
  max_bytes: 1000,
  seconds: 300,
};

const made = {
  key,
  requirements: ['polars'],
  bytes: 1000,
  created: '2026-11-21T12:00:00.000Z',
  shadows: [],
  existing: false,
  unrecorded: [],
};

const answer = numbered(
  started,
  err('Resolving polars\nDown'),
  err('loading\n'),
  out(JSON.stringify(made)),
  exit(),
);
const refusal = numbered(
  started,
  err('Resolving\n\nerror: no\n  cause: it is not there\n'),
  exit({ exit_code: 1 }),
);

function trace(frames: Trace['frames'], lost?: SandboxLost): Trace {
  return { executionId: key, limits: { seconds: 300, cpu: 1, memory_mb: 1024 }, frames, lost };
}

function run(backend: ReturnType<typeof fakeBackend>, { signal = never, isLost = false } = {}) {
  const lines: string[] = [];
  const result = build(backend, request, image, isLost, settings, signal, (line) => lines.push(line));
  return { lines, result };
}

describe('build', () => {
  it('is a run of a sandbox that may build, with what was asked for on its stdin', async () => {
    const backend = fakeBackend({ frames: () => emit(answer) });
    const { lines, result } = run(backend);
    assert.deepEqual(await result, made);
    const [spec] = backend.opened;
    assert.deepEqual(spec?.kind, { ...image, cpu: 1, memory_mb: 1024 });
    assert.deepEqual([spec.build, spec.lifeSeconds, spec.claim?.executionId], [true, 300, key]);
    assert.deepEqual(JSON.parse(backend.programs[0]?.stdin ?? ''), request);
    assert.deepEqual(lines, ['Resolving polars', 'Downloading']);
    assert.equal(backend.disposed, 1);
  });

  it('fails with the resolver’s words, which are no progress', async () => {
    const { lines, result } = run(fakeBackend({ frames: () => emit(refusal) }));
    await assert.rejects(result, { code: 'build_failed', message: 'error: no\n  cause: it is not there' });
    assert.deepEqual(lines, ['Resolving']);
  });

  it('fails as a sandbox does', async () => {
    const full = new ServiceError('unschedulable', 'full');
    await assert.rejects(run(fakeBackend({ open: () => Promise.reject(full) })).result, full);
    const lost = new SandboxLost('out_of_memory', 'killed');
    // eslint-disable-next-line @typescript-eslint/require-await -- it fails before its first frame
    const frames = async function* () {
      throw lost;
    };
    await assert.rejects(run(fakeBackend({ frames })).result, { code: 'build_failed' });
  });

  it('ends with its signal', async () => {
    const stop = new AbortController();
    const backend = fakeBackend({ open: (_spec, signal) => aborted(signal) });
    const { result } = run(backend, { signal: stop.signal });
    stop.abort(new Error('closing'));
    await assert.rejects(result, /closing/);
  });
});

/** A backend that has a build of this key elsewhere until it is cancelled: what is found of it, look by look. */
function elsewhere(looks: (Trace | Error | undefined)[]) {
  let there = true;
  const backend = fakeBackend({
    open: () => (there ? Promise.reject(new AlreadyThere('build')) : Promise.resolve()),
    frames: () => emit(answer),
    find: () => {
      const look = looks.length > 1 ? looks.shift() : looks[0];
      if (look instanceof Error) throw look;
      if (look === undefined) there = false;
      return look;
    },
    cancel: () => {
      there = false;
      return 1;
    },
  });
  return backend;
}

describe('build, where one goes on elsewhere', () => {
  it('follows it to its end', async (t) => {
    const clock = mockClock(t);
    const backend = elsewhere([trace(answer.slice(0, 2)), trace(answer.slice(0, 3)), trace(answer)]);
    const { lines, result } = run(backend);
    await clock.pass(3);
    assert.deepEqual(await result, { ...made, existing: true });
    assert.deepEqual(lines, ['Resolving polars', 'Downloading']);
    assert.equal(backend.opened.length, 1);
    assert.deepEqual(backend.cancelled, []);
  });

  it('fails as that does', async (t) => {
    const clock = mockClock(t);
    const { result } = run(elsewhere([trace([]), trace(refusal)]));
    const failed = assert.rejects(result, { code: 'build_failed', message: /it is not there/ });
    await clock.pass(3);
    await failed;
  });

  it('builds itself where that was cancelled or is gone', async (t) => {
    const clock = mockClock(t);
    const cancelled = trace([], new SandboxLost('cancelled', 'deleted'));
    for (const looks of [
      [trace([]), cancelled],
      [trace([]), undefined],
    ]) {
      const backend = elsewhere(looks);
      const { result } = run(backend);
      await clock.pass(4);
      assert.deepEqual(await result, made);
      assert.equal(backend.opened.length, 2);
    }
  });

  it('takes the success of one that has ended, unless its environment is known to be gone', async (t) => {
    const clock = mockClock(t);
    const kept = elsewhere([trace(answer)]);
    assert.deepEqual(await run(kept).result, { ...made, existing: true });
    const gone = elsewhere([trace(answer)]);
    const { result } = run(gone, { isLost: true });
    await clock.pass(2);
    assert.deepEqual(await result, made);
    assert.equal(gone.cancelled.length, 1);
  });

  it('does not take the failure of one that had ended before: its cause may have passed', async (t) => {
    const clock = mockClock(t);
    const backend = elsewhere([trace(refusal)]);
    const { result } = run(backend);
    await clock.pass(2);
    assert.deepEqual(await result, made);
    assert.equal(backend.cancelled.length, 1);
  });

  const silences = [
    Object.assign(new Error('no answer'), { name: 'UnreachableError' }),
    Object.assign(new Error('come again'), { name: 'ApiError', status: 503 }),
    new ServiceError('cluster_unreachable', 'no answer'),
  ];
  it('asks again where the cluster does not answer for a while', async (t) => {
    const clock = mockClock(t);
    for (const silence of silences) {
      const backend = elsewhere([silence, trace(answer.slice(0, 2)), silence, trace(answer)]);
      const { result } = run(backend);
      await clock.pass(4);
      assert.deepEqual(await result, { ...made, existing: true });
      assert.equal(backend.opened.length, 1);
    }
  });

  it('still takes for old what had ended when the cluster did not answer the cancellation', async (t) => {
    const clock = mockClock(t);
    const backend = elsewhere([trace(refusal)]);
    const { cancel } = backend;
    backend.cancel = () => {
      backend.cancel = cancel;
      return Promise.reject(silences[0] ?? assert.fail());
    };
    const { result } = run(backend);
    await clock.pass(3);
    assert.deepEqual(await result, made);
  });

  it('fails at once where the cluster refuses', async () => {
    const refused = Object.assign(new Error('no'), { name: 'ApiError', status: 403 });
    await assert.rejects(run(elsewhere([refused])).result, refused);
  });

  it('waits no longer than builds take', async (t) => {
    const clock = mockClock(t);
    const { result } = run(elsewhere([trace([])]));
    const failed = assert.rejects(result, { code: 'build_timeout' });
    await clock.pass(750);
    await failed;
  });
});
