import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { executionRequest } from '../../../src/request/execution.ts';
import { SandboxLost, type Trace } from '../../../src/schedule/backend.ts';
import { emit, fakeBackend, hang } from '../support/fake-backend.ts';
import { exit, numbered, out, ready, started } from '../support/frames.ts';
import { mockTimers } from '../support/mock-timers.ts';
import { serviceOn } from '../support/service.ts';
import { config } from '../support/settings.ts';
import { until } from '../support/until.ts';

const request = executionRequest(config()).parse({ code: '' });
const { signal } = new AbortController();

const endless = () =>
  fakeBackend({ frames: (_program, runSignal) => hang(numbered(started, out('a')), runSignal) });

describe('execute', () => {
  it('counts runs and errors', async () => {
    let fails = false;
    const backend = fakeBackend({
      open: () => (fails ? Promise.reject(new Error('a fault')) : Promise.resolve()),
      frames: () => emit(numbered(started, out('abc'), exit({ stdout_bytes: 10 }))),
    });
    const { service, metrics } = serviceOn(backend);
    await service.execute(request, { executionId: 'one', signal });
    fails = true;
    await assert.rejects(service.execute(request, { executionId: 'two', signal }), /a fault/);
    const lines = (await metrics.text()).split('\n');
    for (const line of [
      'vivarium_runs_total{backend="local",status="succeeded"} 1',
      'vivarium_errors_total{code="internal"} 1',
      'vivarium_output_bytes_total{stream="stdout"} 10',
      'vivarium_output_dropped_bytes_total{stream="stdout"} 7',
    ]) {
      assert.ok(lines.includes(line), line);
    }
  });
});

describe('find', () => {
  const limits = { seconds: 30, cpu: 1, memory_mb: 64 };
  const trace = (changes: Partial<Trace>): Trace => ({
    executionId: 'id',
    limits,
    frames: [],
    lost: undefined,
    ...changes,
  });
  const find = (found: Trace | undefined) =>
    serviceOn(fakeBackend({ find: () => found })).service.find('id', '', signal);

  it('knows a run that starts', async () => {
    assert.deepEqual(await find(trace({ frames: numbered(ready) })), {
      execution_id: 'id',
      state: 'starting',
      stdout: '',
      stderr: '',
      result: null,
    });
  });

  it('knows a run that runs, and what it has written', async () => {
    const view = await find(trace({ frames: numbered(ready, started, out('a')) }));
    assert.deepEqual([view.state, view.stdout, view.result], ['running', 'a', null]);
  });

  it('knows the result of a run that has ended', async () => {
    const view = await find(
      trace({ frames: numbered(ready, started, exit()), lost: new SandboxLost('unknown', '?') }),
    );
    assert.equal(view.state, 'ended');
    assert.equal(view.result?.status, 'succeeded');
    assert.deepEqual(view.result.timings, {
      environment: null,
      queued: null,
      scheduled: null,
      started: null,
      ran: 0.5,
      total: null,
    });
  });

  it('lets a run end with its last file, and asks for its artifacts only then', async () => {
    const file = { type: 'file', kind: 'output', path: 'a', size: 0 } as const;
    const frames = numbered(
      started,
      exit({ files: 1 }),
      file,
      { type: 'file_end', size: 0 },
      { type: 'end' },
    );
    assert.equal((await find(trace({ frames: frames.slice(0, 3) }))).state, 'running');
    assert.equal((await find(trace({ frames }))).state, 'ended');
    const lost = new SandboxLost('unknown', 'It went amid its files.');
    const view = await find(trace({ frames: frames.slice(0, 3), lost }));
    assert.deepEqual([view.state, view.result?.status], ['ended', 'succeeded']);
  });

  it('passes by the sandbox that lacked the environment, as the run goes on in another', async () => {
    const frames = numbered(exit({ cause: 'environment_missing' }));
    await assert.rejects(find(trace({ frames })), { code: 'not_found' });
  });

  it('knows how a run was lost', async () => {
    const lost = new SandboxLost('evicted', 'The node evicted the sandbox.');
    const view = await find(trace({ frames: numbered(started, out('a')), lost }));
    assert.deepEqual([view.state, view.result?.status, view.result?.stdout], ['ended', 'evicted', 'a']);
  });

  it('knows a run that waits for its place', async () => {
    const { service } = serviceOn(endless(), 1);
    const stop = new AbortController();
    const runs = ['first', 'second'].map((executionId) =>
      service.execute(request, { executionId, signal: stop.signal }).catch(() => undefined),
    );
    const view = await service.find('second', '', signal);
    assert.equal(view.state, 'queued');
    stop.abort();
    await Promise.all(runs);
    await assert.rejects(service.find('second', '', signal), { code: 'not_found' });
  });

  it('knows the result of its own run before the log does, and asks the log some seconds later', async (t) => {
    const timers = mockTimers(t);
    const ended = new SandboxLost('unknown', 'read from the log');
    let behind = true;
    const { service } = serviceOn(
      fakeBackend({
        frames: () => emit(numbered(started, out('a'), exit())),
        find: () => (behind ? trace({ frames: numbered(ready) }) : trace({ lost: ended })),
      }),
    );
    const result = await service.execute(request, { executionId: 'id', signal });
    await nextTurn();
    const view = await service.find('id', '', signal);
    assert.deepEqual([view.state, view.stdout, view.result], ['ended', 'a', result]);
    behind = false;
    timers.tick(3000);
    assert.match((await service.find('id', '', signal)).result?.message ?? '', /read from the log/);
  });

  it('does not know others', async () => {
    await assert.rejects(find(undefined), {
      code: 'not_found',
      message: 'There is no execution id, or it ended too long ago.',
    });
  });
});

describe('cancel', () => {
  it('ends a run of this server', async () => {
    const backend = endless();
    const { service } = serviceOn(backend);
    const result = service.execute(request, { executionId: 'id', signal });
    await until(() => backend.programs.length === 1);
    await service.cancel('id', '', signal);
    assert.equal((await result).status, 'cancelled');
    assert.deepEqual(backend.cancelled, []);
  });

  it('asks the backend to end a run of another server', async () => {
    const backend = fakeBackend({ cancel: () => 1 });
    await serviceOn(backend).service.cancel('id', '', signal);
    assert.deepEqual(backend.cancelled, [{ executionId: 'id', caller: '' }]);
  });

  it('says that there is no such run', async () => {
    await assert.rejects(serviceOn(fakeBackend()).service.cancel('id', '', signal), { code: 'not_found' });
  });
});

describe('cancelRequest', () => {
  it('ends the run of that request and caller, and no other', async () => {
    const backend = endless();
    const { service } = serviceOn(backend);
    const stop = new AbortController();
    const [mine, other] = ['mine', 'other'].map((requestKey) =>
      service.execute(request, { executionId: requestKey, requestKey, caller: 'alice', signal: stop.signal }),
    );
    await until(() => backend.programs.length === 2);
    await service.cancelRequest('other', 'bob', signal, true);
    await service.cancelRequest('mine', 'alice', signal);
    assert.equal((await mine)?.status, 'cancelled');
    assert.deepEqual([backend.cancelled, backend.disposed], [[], 1]);
    stop.abort();
    await other;
  });

  it('asks the backend for what is not here, and does not mind that there is none', async () => {
    const backend = fakeBackend();
    await serviceOn(backend).service.cancelRequest('key', '', signal);
    assert.deepEqual(backend.cancelled, [{ requestKey: 'key', caller: '' }]);
  });
});

describe('ready', () => {
  it('is what the backend says', () => {
    const ready = () => ({ ok: false as const, why: 'The watch is broken.' });
    assert.deepEqual(serviceOn(fakeBackend({ ready })).service.ready(), {
      ok: false,
      why: 'The watch is broken.',
    });
  });
});

describe('drain', () => {
  it('is done at once where nothing runs', async () => {
    const { service } = serviceOn(fakeBackend());
    await service.drain(60);
    assert.deepEqual(service.ready(), { ok: false, why: 'This server is shutting down.' });
    await assert.rejects(service.execute(request, { executionId: 'id', signal }), { code: 'shutting_down' });
  });

  it('lets runs end, those that wait included, and waits until their sandboxes are away', async () => {
    const go = Promise.withResolvers<undefined>();
    const gone = Promise.withResolvers<undefined>();
    const backend = fakeBackend({
      frames: async function* () {
        await go.promise;
        yield* emit(numbered(started, exit()));
      },
      dispose: async () => {
        await gone.promise;
      },
    });
    const { service } = serviceOn(backend, 1);
    const results = ['one', 'two'].map((executionId) => service.execute(request, { executionId, signal }));
    let drained = false;
    const draining = service.drain(60).then(() => (drained = true));
    go.resolve(undefined);
    await results[0];
    assert.equal(drained, false);
    gone.resolve(undefined);
    assert.deepEqual(
      (await Promise.all(results)).map(({ status }) => status),
      ['succeeded', 'succeeded'],
    );
    await draining;
    assert.equal(backend.disposed, 2);
  });

  it('cancels what is left after its time', async () => {
    const backend = endless();
    const { service } = serviceOn(backend, 1);
    const first = service.execute(request, { executionId: 'one', signal });
    const second = assert.rejects(service.execute(request, { executionId: 'two', signal }), {
      code: 'cancelled',
      message: 'The run was cancelled because the server shuts down before its code ran.',
    });
    await until(() => backend.programs.length === 1);
    await service.drain(0.01);
    const { status, message } = await first;
    assert.equal(status, 'cancelled');
    assert.match(message, /because the server shuts down/);
    await second;
  });
});
