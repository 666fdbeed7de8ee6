/** What LibreChat and its agents package ask of their code interpreter. */
import assert from 'node:assert/strict';
import { bodyOf, getJson, postJson, send, told, type Told } from './ask.ts';

export interface FileRef {
  id: string;
  name: string;
  session_id?: string;
  storage_session_id?: string;
}

export interface Executed {
  session_id: string;
  stdout: string;
  stderr: string;
  files: FileRef[];
  code?: number | null;
  signal?: string | null;
  message?: string | null;
  status?: string | null;
  wall_time?: number;
}

export interface Refusal {
  error: string;
  retry_after_seconds?: number;
}

/** A file as LibreChat remembers it. */
export interface Stored {
  session_id: string;
  id: string;
  name: string;
}

export interface LibreChat {
  run(lang: string, code: string, more?: { files?: object[]; args?: string[] }): Promise<Executed>;
  exec<T = Refusal>(body: unknown): Promise<Told<T>>;
  /** Uploads files in one form. */
  upload(files: [name: string, content: string][], fields?: Record<string, string>): Promise<Stored[]>;
  download(file: Stored): Promise<Response>;
  /** When a file was made; the newer path, and the older one. */
  lastModified(file: Stored): Promise<string | undefined>;
  listed(file: Stored): Promise<string | undefined>;
  /** The files of a session, as a run that follows names them. */
  filesOf(session: string): Promise<Stored[]>;
  get<T = Refusal>(path: string): Promise<Told<T>>;
  delete(file: Stored): Promise<Response>;
}

/** `auth` is `{ 'X-API-Key': … }`, or `{ Authorization: … }` where LibreChat signs a token. */
export function libreChat(base: string, auth: Record<string, string>): LibreChat {
  const headers = { 'User-Agent': 'LibreChat/1.0', ...auth };
  const identity = '?kind=user&id=user-123';
  const exec: LibreChat['exec'] = (body) => postJson(`${base}/exec`, body, headers);
  const get: LibreChat['get'] = (path) => getJson(`${base}${path}`, headers);
  return {
    exec,
    get,
    run: async (lang, code, more = {}) => bodyOf(await exec<Executed>({ lang, code, ...more })),
    async upload(files, fields = { kind: 'user', id: 'user-123' }) {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      for (const [name, content] of files) form.append('file', new Blob([content]), name);
      const response = await send(`${base}/upload`, {
        method: 'POST',
        headers: { ...headers, 'User-Id': 'user-123' },
        body: form,
      });
      const answer = bodyOf(
        await told<{
          message: string;
          session_id: string;
          storage_session_id: string;
          files: { fileId: string; filename: string }[];
        }>(response),
      );
      assert.equal(answer.message, 'success');
      // Older versions read the one, newer ones the other.
      assert.equal(answer.storage_session_id, answer.session_id);
      const { session_id } = answer;
      return answer.files.map(({ fileId, filename }) => ({ session_id, id: fileId, name: filename }));
    },
    download: ({ session_id, id }) => send(`${base}/download/${session_id}/${id}${identity}`, { headers }),
    async lastModified({ session_id, id }) {
      const answer = await get<{ lastModified?: string }>(`/sessions/${session_id}/objects/${id}${identity}`);
      return bodyOf(answer).lastModified;
    },
    async listed({ session_id, id }) {
      const answer = await get<{ name: string; lastModified: string }[]>(
        `/files/${session_id}?detail=summary`,
      );
      return bodyOf(answer).find(({ name }) => name.startsWith(`${session_id}/${id}`))?.lastModified;
    },
    async filesOf(session_id) {
      const answer = await get<{ name: string; metadata: Record<string, string> }[]>(
        `/files/${session_id}?detail=full`,
      );
      return bodyOf(answer).map(({ name, metadata }) => ({
        session_id,
        id: name.split('/')[1]?.split('.')[0] ?? '',
        name: metadata['original-filename'] ?? '',
      }));
    },
    delete: ({ session_id, id }) =>
      send(`${base}/files/${session_id}/${id}${identity}`, { method: 'DELETE', headers }),
  };
}

/** What a run is given of a file: of an agent before and after its sessions got a name of their own. */
export const older = ({ id, session_id, name }: Stored) => ({ id, session_id, name });
export const newer = ({ id, session_id, name }: Stored) => ({
  id,
  resource_id: 'user-123',
  storage_session_id: session_id,
  name,
  kind: 'user',
});

/** The files that a run has left, as LibreChat remembers them. */
export function made({ session_id, files }: Executed): Stored[] {
  return files.map((file) => ({
    session_id: file.storage_session_id ?? file.session_id ?? session_id,
    id: file.id,
    name: file.name,
  }));
}
