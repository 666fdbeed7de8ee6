import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, type Server } from '../../src/server.ts';
import { complete, type Config } from '../../src/config.ts';
import { settings } from '../../src/settings.ts';
import type { ExecutionRequestInput } from '../../src/request/execution.ts';
import type { describeError } from '../../src/result/errors.ts';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import type { PoolSettings } from '../../src/schedule/kind.ts';
import { FakeApi } from './fake-api/server.ts';

export type ErrorBody = ReturnType<typeof describeError>['body'];

export interface Answer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

export function config(changes: Partial<Config> = {}): Config {
  return {
    ...complete(
      settings.parse({
        backend: 'kubernetes',
        namespace: 'sandboxes',
        replicaName: 'one',
        port: 0,
        probePort: 0,
        drainSeconds: 0.1,
        logLevel: 'silent',
      }),
    ),
    ...changes,
  };
}

/** A pool of what runs get that name nothing. */
export function pool(changes: Partial<PoolSettings> = {}): PoolSettings {
  const { image, runtimeClass, defaultCpu: cpu, defaultMemoryMb: memoryMb } = config();
  return { name: 'warm', image, runtimeClass, cpu, memoryMb, preload: [], min: 2, max: 4, ...changes };
}

export async function fakeApi(t: TestContext): Promise<FakeApi> {
  const api = new FakeApi();
  await api.start();
  t.after(() => api.stop());
  return api;
}

/** Vivarium on a fake cluster, its doors open. What it keeps goes with the cluster; its replicas share that. */
export async function vivarium(api: FakeApi, changes: Partial<Config> = {}): Promise<Server> {
  process.env.KUBECONFIG = api.kubeconfig;
  const folder = dirname(api.kubeconfig);
  const places = {
    artifactStore: join(folder, 'artifacts'),
    environmentsFolder: join(folder, 'environments'),
  };
  const server = await startServer(config({ ...places, ...changes }), new AbortController().signal);
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= server.close());
  api.clients.push(close);
  return { ...server, close };
}

export async function call<Body>(url: string, init: RequestInit = {}): Promise<Answer<Body>> {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

export function post<Body>(
  server: Server,
  request: ExecutionRequestInput | string | object,
  init: RequestInit = {},
): Promise<Answer<Body>> {
  return call<Body>(`${server.url}/v1/executions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string> | undefined) },
    body: typeof request === 'string' ? request : JSON.stringify(request),
    ...(init.signal && { signal: init.signal }),
  });
}

/** The result of a run, which must come to one. */
export async function run(server: Server, request: ExecutionRequestInput): Promise<ExecutionResult> {
  const { status, body } = await post<ExecutionResult>(server, request);
  if (status !== 200) throw new Error(`HTTP status ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** The error of a run, which must not come to a result. */
export async function refused(server: Server, request: ExecutionRequestInput): Promise<Answer<ErrorBody>> {
  const answer = await post<ErrorBody>(server, request);
  if (answer.status === 200) throw new Error(`A result: ${JSON.stringify(answer.body)}`);
  return answer;
}

export async function metricsOf({ probesUrl }: Pick<Server, 'probesUrl'>): Promise<string[]> {
  return (await (await fetch(`${probesUrl}/metrics`)).text()).split('\n');
}

/** Waits until so many sandboxes of a pool are ready. */
export async function warmed(server: Server, ready: number, name = 'warm'): Promise<void> {
  const line = `vivarium_pool_sandboxes{pool="${name}",state="ready"} ${ready}`;
  const deadline = performance.now() + 10_000;
  for (let lines = await metricsOf(server); !lines.includes(line); lines = await metricsOf(server)) {
    if (performance.now() > deadline)
      throw new Error(`${line}\n${lines.filter((each) => each.includes('_pool_')).join('\n')}`);
    await sleep(10);
  }
}
