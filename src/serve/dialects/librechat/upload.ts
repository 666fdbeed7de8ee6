import type { Request } from 'express';
import type { Shelf } from '../../../artifacts/shelf.ts';
import { workspacePath } from '../../../request/session.ts';
import { unavailable } from '../../artifacts.ts';
import { MultipartFault, readMultipart } from '../multipart.ts';
import { LibreChatError } from './errors.ts';
import { newId } from './id.ts';

interface UploadSettings {
  inputFiles: number;
  inputBytes: number;
}

interface Call {
  caller: string;
  signal: AbortSignal;
}

interface Uploaded {
  session: string;
  files: { fileId: string; filename: string }[];
}

/** POST /upload: keeps the files of a form in a session of their own. Throws LibreChatError, ServiceError. */
export async function upload(shelf: Shelf, most: UploadSettings, req: Request, call: Call): Promise<object> {
  const { session, files } = await keepForm(shelf, most, req, call);
  return { message: 'success', session_id: session, storage_session_id: session, files };
}

/** POST /upload/batch: the same, with a word for each file. All are kept, or none. */
export async function uploadBatch(
  shelf: Shelf,
  most: UploadSettings,
  req: Request,
  call: Call,
): Promise<object> {
  const { session, files } = await keepForm(shelf, most, req, call);
  return {
    message: 'success',
    session_id: session,
    storage_session_id: session,
    files: files.map((file) => ({ status: 'success', ...file })),
    succeeded: files.length,
    failed: 0,
  };
}

async function keepForm(
  shelf: Shelf,
  { inputFiles, inputBytes }: UploadSettings,
  req: Request,
  { caller, signal }: Call,
): Promise<Uploaded> {
  if (!req.is('multipart/form-data'))
    throw new LibreChatError(400, 'Invalid content type. Must be multipart/form-data.');
  const form = await readMultipart(req, { files: inputFiles, bytes: inputBytes }, signal).catch(asLibreChat);
  if (form.length === 0) throw new LibreChatError(400, 'No files provided');
  for (const { name } of form) {
    const [issue] = workspacePath.safeParse(name).error?.issues ?? [];
    if (issue) throw new LibreChatError(400, `The name of a file cannot be used: ${issue.message}`);
  }
  const session = newId();
  const files: Uploaded['files'] = [];
  for (const { name, bytes } of form) {
    const file = { folder: session, id: newId(), caller, name };
    await shelf.put(file, bytes, signal).catch(unavailable);
    files.push({ fileId: file.id, filename: name });
  }
  return { session, files };
}

function asLibreChat(error: unknown): never {
  if (!(error instanceof MultipartFault)) throw error;
  const text = error.kind === 'size' ? 'File size limit exceeded' : error.message;
  throw new LibreChatError(error.kind === 'form' ? 400 : 413, text, error.message);
}
