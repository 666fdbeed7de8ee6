import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createQueue, type Queue } from '../../../src/admission/queue.ts';
import type { Frame } from '../../../src/output/frame.ts';
import { executionRequest } from '../../../src/request/execution.ts';
import { ServiceError } from '../../../src/result/errors.ts';
import { SandboxLost } from '../../../src/schedule/backend.ts';
import { run, type RunEvent, type Stages } from '../../../src/schedule/run.ts';
import { createSandboxes } from '../../../src/schedule/sandboxes.ts';
import { stops } from '../../../src/schedule/stop.ts';
import { emit, fakeBackend, hang, type FakeBackend } from '../support/fake-backend.ts';
import { err, exit, numbered, out, started } from '../support/frames.ts';
import { noEvents } from '../support/pool-events.ts';
import { config } from '../support/settings.ts';
import { passedBy } from '../support/stages.ts';
import { until } from '../support/until.ts';

const request = executionRequest(config()).parse({
  code: 'print(1)',
  stdin: 'in',
  args: ['a'],
  env: { A: '1' },
});
const queueSettings = { concurrency: 1, queueLength: 1, queueWaitSeconds: 5 };

const stagesOf = (backend: FakeBackend, queue: Queue, policy = config()): Stages => ({
  policy,
  queueFor: () => queue,
  sandboxes: createSandboxes(backend, config(), noEvents),
  ...passedBy,
});

function running(backend: FakeBackend, signal = new AbortController().signal, asked = request) {
  const queue = createQueue(queueSettings);
  const events: RunEvent[] = [];
  const result = run(stagesOf(backend, queue), asked, {
    executionId: 'id',
    caller: 'someone',
    requestKey: 'key',
    signal,
    onEvent: (event) => events.push(event),
  });
  return { queue, events, result };
}

const complete = numbered(started, out('out'), err('err'), exit({ stdout_bytes: 3, stderr_bytes: 3 }));

describe('run', () => {
  it('walks a request through all stages', async () => {
    const backend = fakeBackend({ frames: () => emit(complete) });
    const { queue, events, result } = running(backend);
    const { timings, ...rest } = await result;
    assert.deepEqual(rest, {
      execution_id: 'id',
      status: 'succeeded',
      exit_code: 0,
      signal: null,
      stdout: 'out',
      stderr: 'err',
      stdout_base64: null,
      stderr_base64: null,
      stdout_bytes: 3,
      stderr_bytes: 3,
      truncated: false,
      message: 'The code ran to its end.',
      value: null,
      artifacts: [],
      left_out: { total: 0, files: [] },
      hints: [],
    });
    assert.equal(timings.ran, 0.5);
    const claim = {
      executionId: 'id',
      caller: 'someone',
      requestKey: 'key',
      limits: { seconds: 30, cpu: 1, memory_mb: 512 },
    };
    const kind = { image: 'vivarium-sandbox:0.1.0', runtimeClass: '', cpu: 1, memory_mb: 512 };
    assert.deepEqual(backend.opened, [{ kind, pool: undefined, claim, lifeSeconds: 30, build: false }]);
    assert.deepEqual(backend.claims, [claim]);
    const { files, ...program } = backend.programs[0] ?? {};
    assert.ok(files);
    assert.deepEqual(program, {
      code: 'print(1)',
      stdin: 'in',
      args: ['a'],
      env: { A: '1' },
      environment: null,
      mode: 'single',
    });
    assert.deepEqual(events, [{ type: 'queued' }, { type: 'starting', execution_id: 'id' }, ...complete]);
    await until(() => queue.running === 0);
    assert.equal(backend.disposed, 1);
  });

  it('says what policy lowered', async () => {
    const backend = fakeBackend({ frames: () => emit(complete) });
    const asked = { ...request, timeout_seconds: 1000 };
    const result = await running(backend, undefined, asked).result;
    assert.equal(backend.opened[0]?.claim?.limits.seconds, 300);
    assert.equal(result.hints.length, 1);
  });

  it('keeps its place until the sandbox is away, and answers before', async () => {
    const gone = Promise.withResolvers<undefined>();
    const backend = fakeBackend({
      frames: () => emit(complete),
      dispose: async () => {
        await gone.promise;
      },
    });
    const { queue, result } = running(backend);
    await result;
    assert.equal(queue.running, 1);
    gone.resolve(undefined);
    await until(() => queue.running === 0);
  });

  it('makes a result of a lost sandbox, with what it had written', async () => {
    for (const cause of [
      'out_of_memory',
      'evicted',
      'node_lost',
      'timed_out',
      'cancelled',
      'unknown',
    ] as const) {
      const backend = fakeBackend({
        frames: async function* () {
          yield* emit(complete.slice(0, 2));
          throw new SandboxLost(cause, 'So it was.');
        },
      });
      const { queue, result } = running(backend);
      const { status, stdout, exit_code, timings } = await result;
      assert.deepEqual([status, stdout, exit_code, timings.ran], [cause, 'out', null, null]);
      await until(() => queue.running === 0);
      assert.equal(backend.disposed, 1);
    }
  });

  it('makes a result of frames that end without exit', async () => {
    const { status, message } = await running(fakeBackend({ frames: () => emit(complete.slice(0, 2)) }))
      .result;
    assert.deepEqual([status, message], ['unknown', 'How the code ended is not known.']);
  });

  it('lets the first cause win', async () => {
    const stop = new AbortController();
    const backend = fakeBackend({
      frames: async function* (_program, signal): AsyncGenerator<Frame, void> {
        yield* emit(complete);
        stop.abort(stops.cancelled());
        signal.throwIfAborted();
      },
    });
    assert.equal((await running(backend, stop.signal).result).status, 'succeeded');
  });

  for (const [name, reason, message] of [
    ['its caller', stops.cancelled(), 'The run was cancelled by its caller; what it had written is kept.'],
    [
      'a client that went',
      stops.clientGone(),
      'The run was cancelled because its caller went away; what it had written is kept.',
    ],
    [
      'a shutdown',
      stops.shutdown(),
      'The run was cancelled because the server shuts down; what it had written is kept.',
    ],
    ['anything else', new Error('?'), 'The run was cancelled by its caller; what it had written is kept.'],
  ] as const) {
    it(`is cancelled by ${name}`, async () => {
      const stop = new AbortController();
      const backend = fakeBackend({ frames: (_program, signal) => hang(complete.slice(0, 2), signal) });
      const { queue, events, result } = running(backend, stop.signal);
      await until(() => events.length === 4);
      stop.abort(reason);
      const got = await result;
      assert.deepEqual([got.status, got.message, got.stdout], ['cancelled', message, 'out']);
      await until(() => queue.running === 0);
      assert.equal(backend.disposed, 1);
    });
  }

  it('throws where it is cancelled while it waits', async () => {
    const stop = new AbortController();
    const backend = fakeBackend();
    const queue = createQueue(queueSettings);
    const leave = await queue.enter(stop.signal);
    const result = run(stagesOf(backend, queue), request, {
      executionId: 'id',
      signal: stop.signal,
    });
    stop.abort(stops.clientGone());
    await assert.rejects(result, {
      name: 'ServiceError',
      code: 'cancelled',
      message: 'The run was cancelled because its caller went away before its code ran.',
    });
    assert.equal(backend.opened.length, 0);
    leave();
    assert.equal(queue.running, 0);
  });

  it('throws where it is cancelled while its sandbox starts', async () => {
    const stop = new AbortController();
    const backend = fakeBackend({
      open: (_spec, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        }),
    });
    const { queue, result } = running(backend, stop.signal);
    await until(() => backend.opened.length === 1);
    stop.abort(stops.cancelled());
    await assert.rejects(result, {
      code: 'cancelled',
      message: 'The run was cancelled by its caller before its code ran.',
    });
    await until(() => queue.running === 0);
    assert.equal(backend.disposed, 0);
  });

  it('throws what the service could not do, and frees its place', async () => {
    for (const thrown of [new ServiceError('image_pull_failed', 'No image.'), new Error('a fault')]) {
      const backend = fakeBackend({ open: () => Promise.reject(thrown) });
      const { queue, result } = running(backend);
      await assert.rejects(result, thrown);
      await until(() => queue.running === 0);
    }
  });

  it('disposes of its sandbox where something breaks unforeseen', async () => {
    const backend = fakeBackend({
      frames: async function* () {
        yield* emit(complete.slice(0, 1));
        throw new TypeError('a fault');
      },
    });
    const { queue, result } = running(backend);
    await assert.rejects(result, /a fault/);
    await until(() => queue.running === 0);
    assert.equal(backend.disposed, 1);
  });

  it('has an environment that a sandbox did not find built again, and goes on in another sandbox', async () => {
    const missing = numbered(exit({ cause: 'environment_missing', exit_code: null }));
    let runs = 0;
    const backend = fakeBackend({ frames: () => emit(runs++ === 0 ? missing : complete) });
    const asked: string[][] = [];
    const lost: string[] = [];
    let left = 0;
    const environments: Stages['environments'] = {
      prepare: (requirements) => {
        asked.push([...requirements]);
        return Promise.resolve({ key: 'key', path: '/environments/key', shadows: [] });
      },
      lost: (key) => {
        lost.push(key);
        return Promise.resolve();
      },
    };
    const queue = createQueue(queueSettings);
    const result = await run(
      { ...stagesOf(backend, queue), environments },
      { ...request, requirements: ['Polars >= 1'] },
      { executionId: 'id', signal: new AbortController().signal, onLeft: () => (left += 1) },
    );
    assert.deepEqual([result.status, result.stdout], ['succeeded', 'out']);
    assert.deepEqual([asked, lost], [[['polars>=1'], ['polars>=1']], ['key']]);
    // The second sandbox has a Job of another name: that of the first may be there still.
    assert.deepEqual(
      backend.opened.map(({ claim }) => claim?.executionId),
      ['id', undefined],
    );
    assert.deepEqual(
      backend.programs.map(({ environment }) => environment),
      ['/environments/key', '/environments/key'],
    );
    await until(() => backend.disposed === 2);
    assert.equal(left, 1);
  });

  it('holds output to its limit whatever comes', async () => {
    const backend = fakeBackend({
      frames: () => emit(numbered(started, out('x'.repeat(100)), exit({ stdout_bytes: 100 }))),
    });
    const queue = createQueue(queueSettings);
    const policy = config({ outputBytes: 10 });
    const { signal } = new AbortController();
    const options = { executionId: 'id', signal };
    const result = await run(stagesOf(backend, queue, policy), request, options);
    assert.deepEqual([result.stdout.length, result.stdout_bytes, result.truncated], [10, 100, true]);
  });
});
