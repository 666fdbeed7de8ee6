import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import type { ExecutionView } from '../../src/result/execution-view.ts';
import { unknownWaits } from '../../src/schedule/clock.ts';
import { endless, exited, started } from './fake-api/scripts.ts';
import { call, fakeApi, post, run, vivarium } from './harness.ts';
import { until } from './until.ts';

describe('shutting down', () => {
  it('cancels what runs, and leaves neither Job nor Lease', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    api.script = endless;
    const running = post<ExecutionResult>(server, { code: 'a' });
    await until(() => [...api.pods.values()].some((pod) => pod.isAttached));
    await server.close();
    const { status, body } = await running;
    assert.equal(status, 200);
    assert.equal(body.status, 'cancelled');
    assert.match(body.message, /because the server shuts down/);
    assert.deepEqual(api.jobs, []);
    assert.equal(api.stores.leases.objects.size, 0);
  });

  it('lets a run end that does so in time', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api, { drainSeconds: 10 });
    const finish = Promise.withResolvers<undefined>();
    let runs = false;
    api.script = async (pod) => {
      await started(pod);
      runs = true;
      await finish.promise;
      pod.say(exited(0));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    const running = run(server, { code: 'a' });
    await until(() => runs);
    const closing = server.close();
    finish.resolve(undefined);
    assert.equal((await running).status, 'succeeded');
    await closing;
  });
});

describe('another replica', () => {
  it('finds and cancels a run that it did not start', async (t) => {
    const api = await fakeApi(t);
    const first = await vivarium(api);
    const second = await vivarium(api, { replicaName: 'two' });
    api.script = endless;
    const running = run(first, { code: 'a' });
    await until(() => [...api.pods.values()].some((pod) => pod.isAttached));
    const id = api.jobs[0]?.replace('run-', '') ?? '';
    await until(() => api.requests.some((request) => request.startsWith('CONNECT')));
    let view: ExecutionView | undefined;
    while (view?.stdout !== 'still here\n') {
      view = (await call<ExecutionView>(`${second.url}/v1/executions/${id}`)).body;
    }
    assert.deepEqual(view, {
      execution_id: id,
      state: 'running',
      stdout: 'still here\n',
      stderr: '',
      result: null,
    });
    const cancelled = await call<object>(`${second.url}/v1/executions/${id}`, { method: 'DELETE' });
    assert.equal(cancelled.status, 202);
    const result = await running;
    assert.equal(result.status, 'cancelled', result.message);
    assert.equal(result.stdout, 'still here\n');
    assert.deepEqual(api.jobs, []);
  });

  it('finds the result of an ended run', async (t) => {
    const api = await fakeApi(t);
    const first = await vivarium(api);
    const second = await vivarium(api, { replicaName: 'two' });
    const result = await run(first, { code: 'print(1)', limits: { memory_mb: 128 } });
    const { body } = await call<ExecutionView>(`${second.url}/v1/executions/${result.execution_id}`);
    assert.deepEqual(body, {
      execution_id: result.execution_id,
      state: 'ended',
      stdout: 'print(1)',
      stderr: '',
      result: {
        ...result,
        timings: { ...unknownWaits, ran: 0.01 },
      },
    });
  });
});

describe('starting', () => {
  it('refuses without its permissions, and names each rule that is missing', async (t) => {
    const api = await fakeApi(t);
    api.may = ({ verb, resource, subresource }) =>
      !(subresource === 'attach' || (resource === 'leases' && verb === 'delete'));
    await assert.rejects(vivarium(api), {
      name: 'ServiceError',
      code: 'forbidden',
      message: [
        'This account lacks rules in namespace sandboxes:',
        '  get pods/attach (code in, frames out)',
        '  create pods/attach (code in, frames out)',
        '  delete leases.coordination.k8s.io (a replica is alive while its Lease is; a dead one takes its Jobs with it)',
      ].join('\n'),
    });
  });

  it('takes the Jobs of a dead replica away with its Lease', async (t) => {
    const api = await fakeApi(t);
    const past = new Date(Date.now() - 60_000).toISOString();
    const metadata = { name: 'vivarium-dead', labels: { 'app.kubernetes.io/managed-by': 'vivarium' } };
    const spec = { holderIdentity: 'dead', leaseDurationSeconds: 30, acquireTime: past, renewTime: past };
    const lease = api.stores.leases.create({ metadata, spec });
    api.stores.jobs.create({
      metadata: { name: 'run-left', ownerReferences: [{ uid: lease.metadata.uid ?? '' }] },
    });
    await vivarium(api);
    await until(() => api.jobs.length === 0);
    assert.deepEqual([...api.stores.leases.objects.keys()], ['vivarium-one']);
  });

  it('says that there is no such namespace', async (t) => {
    const api = await fakeApi(t);
    api.faults.order('POST', /leases$/, {
      status: 404,
      reason: 'NotFound',
      message: 'namespaces "sandboxes" not found',
    });
    await assert.rejects(vivarium(api), {
      name: 'ServiceError',
      message: 'The cluster has no namespace sandboxes: namespaces "sandboxes" not found',
    });
  });

  it('chooses the cluster of the kube context where that has the namespace', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api, { backend: 'auto' });
    assert.equal(server.app.backend.name, 'kubernetes');
    assert.match(server.app.why, /has namespace sandboxes/);
  });
});
