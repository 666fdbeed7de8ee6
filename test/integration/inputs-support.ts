import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { Resolve } from '../../src/inputs/fetch.ts';
import { readInputs, type InputSettings } from '../../src/inputs/inputs.ts';
import type { FileSource } from '../../src/request/files.ts';
import { ServiceError } from '../../src/result/errors.ts';

/** Everything that loopback serves may be fetched. */
export const loopback: InputSettings = {
  inputBytes: 1_048_576,
  fetchHosts: ['*'],
  fetchNetworks: ['127.0.0.0/8'],
  fetchSeconds: 10,
};

export interface Site {
  port: number;
  server: Server;
  /** Without a slash at its end. */
  url: string;
}

/** A web server on loopback, for as long as the test runs. */
export async function site(t: TestContext, listener: RequestListener, tls?: ServerOptions): Promise<Site> {
  const server = tls ? createSecureServer(tls, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { port, server, url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}` };
}

export interface Options {
  settings?: Partial<InputSettings>;
  signal?: AbortSignal;
  resolve?: Resolve;
}

export function read(files: FileSource[], { settings, signal, resolve }: Options = {}) {
  return readInputs(
    files,
    { ...loopback, ...settings },
    signal ?? new AbortController().signal,
    ...(resolve ? [resolve] : []),
  );
}

/** The files as they were read: path and text, of one file after the other. */
export async function texts(files: FileSource[], options?: Options): Promise<[path: string, text: string][]> {
  const all: [string, Uint8Array[]][] = [];
  for await (const { path, bytes } of read(files, options)) {
    const last = all.at(-1);
    if (last?.[0] === path) last[1].push(bytes);
    else all.push([path, [bytes]]);
  }
  return all.map(([path, chunks]) => [path, Buffer.concat(chunks).toString()]);
}

/** What a URL failed of: "code: message". */
export async function failure(url: string, options?: Options): Promise<string> {
  try {
    await texts([{ path: 'a.csv', url }], options);
  } catch (error) {
    if (error instanceof ServiceError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error(`${url} was read`);
}

/** Answers what it is told to, in turn, and notes what it was asked. */
export function scripted(...answers: string[][]): { resolve: Resolve; asked: string[] } {
  const asked: string[] = [];
  const resolve: Resolve = (host) => {
    const addresses = answers[asked.length] ?? [];
    asked.push(host);
    return Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
  };
  return { resolve, asked };
}
