/** HTTP as the clients of dialects speak it. */
import assert from 'node:assert/strict';

export interface Told<T = unknown> {
  status: number;
  headers: Headers;
  body: T;
}

export async function postJson<T>(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Told<T>> {
  return told(
    await send(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  );
}

export async function getJson<T>(url: string, headers: Record<string, string> = {}): Promise<Told<T>> {
  return told(await send(url, { headers }));
}

export async function told<T>(response: Response): Promise<Told<T>> {
  const { status, headers } = response;
  return { status, headers, body: (await response.json()) as T };
}

export function send(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, signal: AbortSignal.timeout(60_000) });
}

/** The body of an answer that succeeded, as a client reads it that throws where one did not. */
export function bodyOf<T>({ status, body }: Told<T>, expected = 200): T {
  assert.equal(status, expected, JSON.stringify(body));
  return body;
}
