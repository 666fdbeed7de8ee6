import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMetrics, total } from '../../../bench/prometheus.ts';
import { growth, readCounters, readWrites } from '../../../bench/stages/counters.ts';

const text = `# HELP vivarium_pool_claims_total Claims.
# TYPE vivarium_pool_claims_total counter
vivarium_pool_claims_total{pool="data",outcome="hit"} 12
vivarium_pool_claims_total{pool="data",outcome="miss"} 3
vivarium_kubernetes_requests_total{verb="post",code="201"} 15
vivarium_kubernetes_requests_total{verb="post",code="409"} 1
vivarium_kubernetes_requests_total{verb="put",code="200"} 9
vivarium_kubernetes_requests_total{verb="get",code="200"} 40
process_cpu_seconds_total 1.5
odd{text="a \\"quoted\\", word"} 1e3
`;

describe('metrics', () => {
  it('are read with their labels', () => {
    const series = parseMetrics(text);
    assert.equal(series.length, 8);
    assert.deepEqual(series.at(-1), { name: 'odd', labels: { text: 'a \\"quoted\\", word' }, value: 1000 });
    assert.equal(
      total(series, 'vivarium_pool_claims_total', ({ outcome }) => outcome === 'hit'),
      12,
    );
    assert.equal(total(series, 'vivarium_pool_claims_total'), 15);
    assert.equal(total(series, 'nothing'), 0);
  });

  it('tell what a server has counted; the renewals of its Lease are no writes of a run', () => {
    assert.deepEqual(readCounters(parseMetrics(text)), {
      cpuSeconds: 1.5,
      hits: 12,
      misses: 3,
      writes: 16,
      requests: { post: 16, put: 9, patch: 0, delete: 0 },
    });
  });

  it('tell what was written to the API, by verb and resource', () => {
    const api = parseMetrics(`apiserver_request_total{code="201",resource="jobs",subresource="",verb="POST"} 2
apiserver_request_total{code="409",resource="jobs",subresource="",verb="POST"} 1
apiserver_request_total{code="200",resource="pods",subresource="status",verb="PATCH"} 7
apiserver_request_total{code="200",resource="pods",subresource="",verb="GET"} 50`);
    assert.deepEqual(readWrites(api), { 'POST jobs': 3, 'PATCH pods/status': 7 });
  });

  it('grow by what was added', () => {
    assert.deepEqual(growth({ a: 1, b: 2 }, { a: 4, b: 2, c: 1 }), { a: 3, c: 1 });
  });
});
