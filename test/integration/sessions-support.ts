import assert from 'node:assert/strict';
import type { ExecutionRequestInput } from '../../src/request/execution.ts';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import type { SessionView } from '../../src/result/session.ts';
import type { Server } from '../../src/server.ts';
import type { Config } from '../../src/config.ts';
import { freePort } from '../free-port.ts';
import type { Asked } from './fake-api/pod.ts';
import type { FakeApi } from './fake-api/server.ts';
import type { Stored } from './fake-api/store.ts';
import { type Answer, call, type ErrorBody, post, vivarium } from './harness.ts';

export async function created(
  server: Server,
  request: object = {},
  headers: Record<string, string> = {},
): Promise<string> {
  const { status, body } = await create<SessionView>(server, request, headers);
  assert.equal(status, 201, JSON.stringify(body));
  return body.session_id;
}

export function create<Body>(
  server: Server,
  request: object = {},
  headers: Record<string, string> = {},
): Promise<Answer<Body>> {
  return call<Body>(`${server.url}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(request),
  });
}

/** A run in a session, which must come to a result. */
export async function runIn(
  server: Server,
  session_id: string,
  code: string,
  more: Partial<ExecutionRequestInput> = {},
): Promise<ExecutionResult> {
  const { status, body } = await post<ExecutionResult>(server, { code, session_id, ...more });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** The code and words of the error that a run in a session comes to. */
export async function refusedIn(
  server: Server,
  session_id: string,
  more: Partial<ExecutionRequestInput> = {},
): Promise<{ code: string; message: string }> {
  const { status, body } = await post<ErrorBody>(server, { code: 'a', session_id, ...more });
  assert.notEqual(status, 200, JSON.stringify(body));
  return { code: body.error.code, message: body.error.message };
}

export function end(server: Server, id: string): Promise<Answer<ErrorBody>> {
  return call<ErrorBody>(`${server.url}/v1/sessions/${id}`, { method: 'DELETE' });
}

/** The Jobs of sessions that there are. */
export function jobsOf(api: FakeApi): Stored[] {
  return [...api.stores.jobs.objects.values()].filter(({ metadata }) => metadata.name.startsWith('session-'));
}

/** What agents were asked to run. */
export function runsOf(api: FakeApi): Asked[] {
  return [...api.pods.values()].flatMap(({ heard }) => heard).filter((line) => line.type === 'run');
}

export function endsOf(api: FakeApi): (string | undefined)[] {
  return jobsOf(api).map(({ metadata }) => metadata.annotations?.['vivarium.dev/ended']);
}

/** A replica that others reach. */
export async function replica(api: FakeApi, name: string, changes: Partial<Config> = {}): Promise<Server> {
  const port = await freePort();
  return vivarium(api, { replicaName: name, port, advertiseUrl: `http://127.0.0.1:${port}`, ...changes });
}
