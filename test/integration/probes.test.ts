import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorKinds } from '../../src/result/errors.ts';
import { statuses } from '../../src/result/execution-result.ts';
import { backendNames, lossCauses, sessionEnds } from '../../src/schedule/backend.ts';
import { fakeApi, metricsOf, post, refused, run, vivarium } from './harness.ts';
import { until } from './until.ts';

describe('the probes', () => {
  it('answer on a port of their own, whatever the Host', async (t) => {
    const server = await vivarium(await fakeApi(t));
    assert.notEqual(new URL(server.probesUrl).port, new URL(server.url).port);
    for (const path of ['/healthz', '/readyz']) {
      const answer = await fetch(server.probesUrl + path);
      assert.equal(answer.status, 200);
      assert.equal(await answer.text(), 'ok\n');
      assert.equal((await fetch(server.url + path)).status, 404);
    }
  });

  it('and all other ports keep idle connections for longer than clients do', async (t) => {
    const server = await vivarium(await fakeApi(t));
    for (const url of [`${server.probesUrl}/healthz`, `${server.url}/openapi.json`]) {
      assert.equal((await fetch(url)).headers.get('keep-alive'), 'timeout=75');
    }
  });

  it('say that it is not ready while the API server is away, and that it lives', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    await until(() => api.watches.count('pods') === 1);
    api.faults.order('GET', /pods$/, { status: 503 }, Infinity);
    api.watches.cut('pods');
    const ready = async () => {
      const answer = await fetch(`${server.probesUrl}/readyz`);
      return { status: answer.status, text: await answer.text() };
    };
    let answer = await ready();
    while (answer.status === 200) answer = await ready();
    assert.deepEqual(answer, {
      status: 503,
      text: 'The watch on pods in sandboxes is broken and being opened again.\n',
    });
    assert.equal((await fetch(`${server.probesUrl}/healthz`)).status, 200);
    api.faults.clear();
    while (answer.status !== 200) answer = await ready();
  });

  it('say that it is not ready once it shuts down', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    await server.app.service.drain(0);
    assert.deepEqual(server.app.service.ready(), { ok: false, why: 'This server is shutting down.' });
    assert.equal((await fetch(`${server.probesUrl}/readyz`)).status, 503);
    const { status, body } = await refused(server, { code: 'a' });
    assert.deepEqual([status, body.error.code], [503, 'shutting_down']);
  });
});

describe('/metrics', () => {
  it('counts runs, errors, bytes and calls, with labels of fixed enums', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    await run(server, { code: 'four' });
    api.script = (pod) => {
      pod.wait('ErrImagePull', 'no such host');
    };
    await refused(server, { code: 'a' });
    await post(server, '{');
    const lines = await metricsOf(server);
    for (const line of [
      'vivarium_runs_total{backend="kubernetes",status="succeeded"} 1',
      'vivarium_runs_total{backend="kubernetes",status="failed"} 0',
      'vivarium_errors_total{code="image_pull_failed"} 1',
      'vivarium_pod_failures_total{cause="image_pull_failed"} 1',
      'vivarium_output_bytes_total{stream="stdout"} 4',
      'vivarium_output_dropped_bytes_total{stream="stdout"} 0',
      'vivarium_run_phase_seconds_count{phase="total"} 1',
      'vivarium_run_phase_seconds_count{phase="ran"} 1',
      'vivarium_kubernetes_requests_total{verb="post",code="201"} 19',
      'vivarium_kubernetes_requests_total{verb="connect",code="101"} 1',
      'vivarium_queue_depth 0',
      'vivarium_running 0',
    ]) {
      assert.ok(
        lines.includes(line),
        `${line}\n${lines.filter((each) => each.startsWith('vivarium')).join('\n')}`,
      );
    }
    assert.ok(lines.some((line) => line.startsWith('process_cpu_seconds_total')));

    const allowed: Record<string, readonly string[] | RegExp> = {
      backend: [...backendNames, 'piston'],
      status: statuses,
      code: new RegExp(`^(${Object.keys(errorKinds).join('|')}|[1-5]\\d\\d|error)$`),
      cause: [...Object.keys(errorKinds), ...lossCauses],
      stream: ['stdout', 'stderr'],
      outcome: ['kept', 'failed', 'left_out'],
      reason: ['age', 'size', 'unfinished', ...sessionEnds],
      phase: ['environment', 'queued', 'scheduled', 'started', 'ran', 'total'],
      verb: ['get', 'post', 'put', 'patch', 'delete', 'connect'],
      le: /^(\d+(\.\d+)?|\+Inf)$/,
    };
    for (const line of lines.filter((each) => each.startsWith('vivarium_'))) {
      for (const [, name = '', value = ''] of line.matchAll(/(\w+)="([^"]*)"/g)) {
        const values = allowed[name];
        assert.ok(values, `a label ${name} in ${line}`);
        assert.ok(values instanceof RegExp ? values.test(value) : values.includes(value), line);
      }
    }
  });
});
