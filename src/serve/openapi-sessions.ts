import { z } from 'zod';
import { sessionRequest, type SessionSettings } from '../request/session.ts';
import {
  endedSession,
  runtimeList,
  sessionView,
  workspaceListing,
  workspaceWritten,
} from '../result/session.ts';
import { listQuery } from './sessions-rest.ts';

type Content = Record<string, { schema: object }>;

/** How schemas become content, and the answer that all operations may have. */
export interface Words {
  json(schema: z.ZodType, io?: 'input' | 'output'): Content;
  errors: Record<string, object>;
}

/** Paths of /openapi.json about sessions and languages. */
export function sessionPaths(settings: SessionSettings, { json, errors }: Words) {
  const path = (name: string) => ({ name, in: 'path', required: true, schema: { type: 'string' } });
  const bytes = { '*/*': { schema: {} } };
  const { properties = {} } = z.toJSONSchema(listQuery, { io: 'input', target: 'draft-2020-12' });
  return {
    '/v1/sessions': {
      post: {
        operationId: 'createSession',
        summary: 'Create a session, whose runs share a sandbox',
        description:
          'Runs name it as `session_id` and find variables, imports, files and working directory as the last one left them. It works through every replica.',
        requestBody: { required: false, content: json(sessionRequest(settings), 'input') },
        responses: { 201: { description: 'The session.', content: json(sessionView) }, ...errors },
      },
    },
    '/v1/sessions/{id}': {
      delete: {
        operationId: 'endSession',
        summary: 'End a session',
        parameters: [path('id')],
        responses: { 200: { description: 'It has ended.', content: json(endedSession) }, ...errors },
      },
    },
    '/v1/sessions/{id}/files': {
      get: {
        operationId: 'listFiles',
        summary: 'What is in the workspace of a session',
        parameters: [
          path('id'),
          ...Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema })),
        ],
        responses: {
          200: { description: 'Files and folders.', content: json(workspaceListing) },
          ...errors,
        },
      },
    },
    '/v1/sessions/{id}/files/{path}': {
      get: {
        operationId: 'readFile',
        summary: 'A file of a session',
        parameters: [path('id'), path('path')],
        responses: { 200: { description: 'Its bytes.', content: bytes }, ...errors },
      },
      put: {
        operationId: 'writeFile',
        summary: 'Make or replace a file of a session',
        parameters: [path('id'), path('path')],
        requestBody: { required: true, description: 'Its bytes, of any type.', content: bytes },
        responses: { 200: { description: 'It is there.', content: json(workspaceWritten) }, ...errors },
      },
    },
    '/v1/runtimes': {
      get: {
        operationId: 'runtimes',
        summary: 'Languages that code may be written in',
        responses: { 200: { description: 'The languages.', content: json(runtimeList) }, ...errors },
      },
    },
  };
}
