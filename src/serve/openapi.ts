import { z } from 'zod';
import { executionRequest, type RequestSettings } from '../request/execution.ts';
import { requirementList } from '../request/requirements.ts';
import type { SessionSettings } from '../request/session.ts';
import { errorKinds } from '../result/errors.ts';
import { executionResult } from '../result/execution-result.ts';
import { executionView } from '../result/execution-view.ts';
import { packageList } from '../result/packages.ts';
import { sessionPaths } from './openapi-sessions.ts';
import { version } from './version.ts';

const errorBody = z.strictObject({
  error: z.strictObject({
    code: z.enum(Object.keys(errorKinds) as [keyof typeof errorKinds]),
    message: z.string(),
    hint: z.string(),
    retryable: z.boolean(),
    retry_after_seconds: z.number().nullable(),
  }),
});

/** The OpenAPI document, from the very schemas that check requests. */
export function openApi(settings: RequestSettings & SessionSettings) {
  const json = (schema: z.ZodType, io: 'input' | 'output' = 'output') => ({
    'application/json': { schema: z.toJSONSchema(schema, { io, target: 'draft-2020-12' }) },
  });
  const errors = { default: { description: 'The service could not do it.', content: json(errorBody) } };
  const id = [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }];
  const bytes = { '*/*': { schema: {} } };
  return {
    openapi: '3.1.0',
    info: { title: 'Vivarium', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths: {
      '/v1/executions': {
        post: {
          operationId: 'run',
          summary: 'Run code and wait for its result',
          description:
            'With `Accept: text/event-stream` the answer is a stream of events: building (while the environment of the requirements is made, with a line of its progress as `message`), starting, started, stdout, stderr, exit, then result or error.',
          requestBody: { required: true, content: json(executionRequest(settings), 'input') },
          responses: {
            200: {
              description: 'How the run ended. A program that fails is a result, too.',
              content: { ...json(executionResult), 'text/event-stream': { schema: { type: 'string' } } },
            },
            ...errors,
          },
        },
      },
      '/v1/executions/{id}': {
        get: {
          operationId: 'find',
          summary: 'A run while it goes on, and for some time after',
          parameters: id,
          responses: { 200: { description: 'The run.', content: json(executionView) }, ...errors },
        },
        delete: {
          operationId: 'cancel',
          summary: 'Cancel a run',
          parameters: id,
          responses: {
            202: {
              description: 'It is being cancelled.',
              content: json(z.strictObject({ execution_id: z.string() })),
            },
            ...errors,
          },
        },
      },
      '/v1/artifacts/{id}': {
        get: {
          operationId: 'artifact',
          summary: 'A figure, or a file that a program wrote to output/',
          description:
            'For the caller of the run only. Takes one `Range`, `If-None-Match` and `If-Range`; the ETag is the SHA-256 of the bytes. HEAD answers the same without them.',
          parameters: id,
          responses: {
            200: { description: 'All of it, of its own media type.', content: bytes },
            206: { description: 'The range that was asked for.', content: bytes },
            304: { description: 'The client has it already.' },
            416: { description: 'It has no such range.' },
            ...errors,
          },
        },
      },
      '/v1/packages': {
        get: {
          operationId: 'packages',
          summary: 'What programs can import',
          description:
            'With requirements, what a run with these has: their environment is built where there is none, which takes its time.',
          parameters: [
            {
              name: 'requirement',
              in: 'query',
              description: 'As in `requirements` of a run; any number of times.',
              explode: true,
              schema: z.toJSONSchema(requirementList(settings), { io: 'input', target: 'draft-2020-12' }),
            },
          ],
          responses: { 200: { description: 'The packages.', content: json(packageList) }, ...errors },
        },
      },
      ...sessionPaths(settings, { json, errors }),
    },
  };
}
