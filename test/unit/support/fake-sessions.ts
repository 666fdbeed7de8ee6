import type { SessionRequest } from '../../../src/request/session.ts';
import { ServiceError } from '../../../src/result/errors.ts';
import type { SessionView } from '../../../src/result/session.ts';
import type { SessionCall, Sessions } from '../../../src/sessions/sessions.ts';

/** The handle of the one session that there is. */
export const handle = `ses_${'s'.repeat(26)}`;

export const view: SessionView = {
  session_id: handle,
  created: '2026-01-01T00:00:00.000Z',
  expires: '2026-01-01T04:00:00.000Z',
  idle_seconds: 600,
  limits: { seconds: 30, cpu: 1, memory_mb: 512 },
  hints: ['limits.cpu was lowered from 9 to 1, the most that this server allows.'],
};

/** A workspace in memory, of `owner`. What was asked for is in `asked`. */
export function fakeSessions(owner: string, files = new Map<string, Buffer>()) {
  const asked: { request?: SessionRequest; caller: string; signal: AbortSignal; recursive?: boolean }[] = [];
  let ended = false;
  const enter = (id: string, call: SessionCall) => {
    asked.push(call);
    if (id !== handle || call.caller !== owner)
      throw new ServiceError('not_found', 'There is no such session for this caller.');
    if (ended) throw new ServiceError('session_ended', 'The session was ended.');
  };
  const sessions: Sessions = {
    async create(request, call) {
      asked.push({ request, ...call });
      if (request.requirements.includes('fault')) throw new Error('unexpected');
      if (request.requirements.length > 0) call.onProgress?.('Resolved 1 package');
      return Promise.resolve(view);
    },
    named: () => Promise.resolve(handle),
    findNamed: () => Promise.resolve(handle),
    async end(id, call) {
      await Promise.resolve();
      enter(id, call);
      ended = true;
    },
    async list(id, path, { recursive }, call) {
      await Promise.resolve();
      enter(id, call);
      asked.push({ ...call, recursive });
      if (path !== '' && path !== 'data') throw new ServiceError('file_not_found', `There is no ${path}.`);
      const modified = '2026-01-01T00:00:01.000Z';
      return {
        entries: [
          { path: 'data', kind: 'folder' as const, size: 0, modified },
          { path: 'pipe', kind: 'other' as const, size: 0, modified },
          ...[...files].map(([name, { length: size }]) => ({
            path: name,
            kind: 'file' as const,
            size,
            modified,
          })),
        ].filter((entry) => recursive || entry.path.startsWith(path)),
        left_out: 2,
      };
    },
    async read(id, path, maxBytes, call) {
      await Promise.resolve();
      enter(id, call);
      const bytes = files.get(path);
      if (!bytes) throw new ServiceError('file_not_found', `There is no ${path}.`);
      if (bytes.length > maxBytes)
        throw new ServiceError('too_large', `${path} has ${bytes.length} bytes; the most is ${maxBytes}.`);
      return bytes;
    },
    async write(id, path, bytes, call) {
      await Promise.resolve();
      enter(id, call);
      files.set(path, Buffer.from(bytes));
    },
  };
  return Object.assign(sessions, { asked });
}
