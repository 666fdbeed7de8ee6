import { mimeTypeOf, nameOf } from '../../../artifacts/store.ts';
import type { Shelf, Shelved } from '../../../artifacts/shelf.ts';
import { unavailable } from '../../artifacts.ts';
import { LibreChatError } from './errors.ts';
import { isId } from './id.ts';

export interface FileIds {
  session: string;
  file: string;
}

/** A file of a session. Throws LibreChatError where there is none for this caller, ServiceError. */
export async function readFile(
  shelf: Shelf,
  { session, file }: FileIds,
  caller: string,
  signal: AbortSignal,
): Promise<{ about: Shelved; name: string; type: string; bytes: Buffer }> {
  checkIds(session, file);
  const found = await shelf.get(session, file, caller, signal).catch(unavailable);
  if (!found) throw new LibreChatError(404, 'File not found', 'The file may have expired or does not exist');
  const name = nameOf(found.about.name);
  return { about: found.about, name, type: mimeTypeOf(name), bytes: found.bytes };
}

/** GET /files/:session: what there is, as much of it as is asked for. A session that is not there has no files. */
export async function describeFiles(
  shelf: Shelf,
  session: string,
  detail: string,
  caller: string,
  signal: AbortSignal,
): Promise<object[] | string[]> {
  checkIds(session);
  const found = await shelf.list(session, caller, signal).catch(unavailable);
  switch (detail) {
    case 'full':
      return found.map(fullOf);
    case 'summary':
      return found.map((file) => ({ name: objectOf(file), lastModified: file.created }));
    default:
      return found.map(objectOf);
  }
}

/** GET /sessions/:session/objects/:file: what is known of one file. */
export async function describeObject(
  shelf: Shelf,
  { session, file }: FileIds,
  caller: string,
  signal: AbortSignal,
): Promise<object> {
  checkIds(session, file);
  const all = await shelf.list(session, caller, signal).catch(unavailable);
  const found = all.find(({ id }) => id === file);
  if (!found) throw new LibreChatError(404, 'File not found');
  return fullOf(found);
}

/** DELETE /files/:session/:file. */
export async function deleteFile(
  shelf: Shelf,
  ids: FileIds,
  caller: string,
  signal: AbortSignal,
): Promise<object> {
  await describeObject(shelf, ids, caller, signal);
  await shelf.remove(ids.session, ids.file, caller, signal).catch(unavailable);
  return { message: 'success' };
}

function fullOf(file: Shelved) {
  const { folder, id, name, size, created } = file;
  const contentType = mimeTypeOf(name);
  return {
    name: objectOf(file),
    id,
    session_id: folder,
    size,
    lastModified: created,
    contentType,
    metadata: { 'original-filename': name, 'content-type': contentType },
  };
}

/** LibreChat finds a file by the beginning of this name. */
function objectOf({ folder, id }: Shelved): string {
  return `${folder}/${id}`;
}

function checkIds(...ids: string[]): void {
  if (!ids.every(isId)) throw new LibreChatError(400, 'Bad request', 'An id has 21 letters, digits, _ and -');
}
