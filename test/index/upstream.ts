/** The index that this one fetches from: the one that pip is configured with. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { settings } from '../../src/settings.ts';
import { accepted, parsePage, type ProjectFile } from './page.ts';

/** What a client is told with its own status: 404 from upstream stays one. */
export class Failure extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Whom pip asks: its variable, its files, else the public index. */
export async function configuredIndex(): Promise<string> {
  if (process.env.PIP_INDEX_URL) return process.env.PIP_INDEX_URL;
  const pip = promisify(execFile)('python3', ['-m', 'pip', 'config', 'get', 'global.index-url']);
  const configured = await pip.then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  return configured || settings.parse({}).packageIndex;
}

export interface Upstream {
  /** Writes the files of a project, as JSON. */
  page(project: string, path: string): Promise<void>;
  /** Writes what is at a URL, and refuses other content than was promised. */
  file(url: string, sha256: string | undefined, path: string): Promise<void>;
}

export function openUpstream(index: string): Upstream {
  const origin = new URL(index);
  const credentials =
    origin.username &&
    `Basic ${btoa(`${decodeURIComponent(origin.username)}:${decodeURIComponent(origin.password)}`)}`;
  origin.username = origin.password = '';
  const base = origin.href.replace(/\/*$/, '/');

  async function get(url: string, headers: Record<string, string> = {}): Promise<Response> {
    const ours = new URL(url).origin === origin.origin;
    const response = await fetch(url, {
      headers: { ...headers, ...(ours && credentials && { authorization: credentials }) },
      signal: AbortSignal.timeout(120_000),
    }).catch((error: unknown) => {
      throw new Failure(502, `upstream does not answer: ${String((error as Error).cause ?? error)}`);
    });
    if (response.ok) return response;
    await response.body?.cancel();
    throw new Failure(response.status === 404 ? 404 : 502, `upstream answered ${response.status}`);
  }

  return {
    async page(project, path) {
      const response = await get(`${base}${project}/`, { accept: accepted });
      const type = response.headers.get('content-type') ?? '';
      const files: ProjectFile[] = parsePage(await response.text(), type, response.url);
      await writeFile(path, JSON.stringify(files));
    },
    async file(url, sha256, path) {
      const { body } = await get(url);
      if (!body) throw new Failure(502, 'upstream sent nothing');
      const hash = createHash('sha256');
      const hashed = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          hash.update(chunk);
          done(null, chunk);
        },
      });
      await pipeline(body, hashed, createWriteStream(path));
      if (sha256 !== undefined && hash.digest('hex') !== sha256) {
        throw new Failure(502, `${url} has another sha256 than its page says`);
      }
    },
  };
}
