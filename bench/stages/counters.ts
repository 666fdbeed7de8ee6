import { apiMetrics } from '../bed/cluster.ts';
import { parseMetrics, scrape, total, type Series } from '../prometheus.ts';
import type { Vivarium } from '../bed/servers.ts';

const writing = ['post', 'put', 'patch', 'delete'];

/** What a server has counted so far. */
export interface Counters {
  cpuSeconds: number;
  hits: number;
  misses: number;
  /** Its own writes to the API, but for the renewals of its Lease (PUT), which come whether anything runs or not. */
  writes: number;
  /** All its requests to the API that write, by verb. */
  requests: Record<string, number>;
}

export async function counters({ server }: Vivarium): Promise<Counters> {
  return readCounters(await scrape(server.probesUrl));
}

export function readCounters(series: readonly Series[]): Counters {
  const claims = (outcome: string) =>
    total(series, 'vivarium_pool_claims_total', (labels) => labels.outcome === outcome);
  const calls = (verb: string) =>
    total(series, 'vivarium_kubernetes_requests_total', (labels) => labels.verb === verb);
  const requests = Object.fromEntries(writing.map((verb) => [verb, calls(verb)]));
  return {
    cpuSeconds: total(series, 'process_cpu_seconds_total'),
    hits: claims('hit'),
    misses: claims('miss'),
    writes: calls('post') + calls('patch') + calls('delete'),
    requests,
  };
}

/** Writes that the API server has counted, by "verb resource/subresource". */
export async function apiServerWrites(): Promise<Record<string, number>> {
  return readWrites(parseMetrics(await apiMetrics()));
}

export function readWrites(series: readonly Series[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name, labels, value } of series) {
    const { verb = '', resource = '', subresource = '' } = labels;
    if (name !== 'apiserver_request_total' || !writing.includes(verb.toLowerCase())) continue;
    const key = `${verb} ${resource}${subresource && `/${subresource}`}`;
    counts[key] = (counts[key] ?? 0) + value;
  }
  return counts;
}

/** What was added to each count. */
export function growth(
  before: Record<string, number>,
  after: Record<string, number>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after)
      .map(([key, value]) => [key, value - (before[key] ?? 0)] as const)
      .filter(([, added]) => added > 0),
  );
}
