/** The clients of BeeAI Code Interpreter and of Onyx. */
import { bodyOf, getJson, postJson, send, told, type Told } from './ask.ts';

export interface BeeRan {
  stdout: string;
  stderr: string;
  exit_code: number;
  files: Record<string, string>;
}

export interface ParsedTool {
  tool_name: string;
  tool_input_schema_json: string;
  tool_description: string;
}

export interface Bee {
  run(source_code: string, more?: { files?: object; env?: object }): Promise<BeeRan>;
  parseTool(tool_source_code: string): Promise<ParsedTool>;
  /** What the tool returned. */
  useTool(tool_source_code: string, input: object, env?: object): Promise<unknown>;
  /** A request as it is. */
  post<T = { detail: unknown }>(path: string, body: unknown): Promise<Told<T>>;
}

export function bee(base: string, headers: Record<string, string> = {}): Bee {
  const post: Bee['post'] = (path, body) => postJson(`${base}${path}`, body, headers);
  return {
    post,
    run: async (source_code, more = {}) =>
      bodyOf(await post<BeeRan>('/v1/execute', { source_code, files: {}, ...more })),
    parseTool: async (tool_source_code) =>
      bodyOf(await post<ParsedTool>('/v1/parse-custom-tool', { tool_source_code })),
    async useTool(tool_source_code, input, env = {}) {
      const tool_input_json = JSON.stringify(input);
      const request = { tool_source_code, tool_input_json, env };
      const answer = await post<{ tool_output_json: string }>('/v1/execute-custom-tool', request);
      return JSON.parse(bodyOf(answer).tool_output_json) as unknown;
    },
  };
}

export interface OnyxRan {
  stdout: string;
  stderr: string;
  exit_code: number | null;
  timed_out: boolean;
  duration_ms: number;
  files: { path: string; kind: 'file' | 'directory'; file_id: string | null }[];
}

export interface OnyxRequest {
  stdin?: string;
  timeout_ms?: number;
  files?: { path: string; file_id: string }[];
}

export interface Onyx {
  healthy(): Promise<boolean>;
  run(code: string, more?: OnyxRequest): Promise<OnyxRan>;
  /** Streams, or does without where the path is not there, as older services do not have it. */
  stream(code: string): Promise<[event: string, data: unknown][]>;
  upload(content: Uint8Array, name: string): Promise<string>;
  download(id: string): Promise<Response>;
  delete(id: string): Promise<Response>;
  post<T = { detail: unknown }>(path: string, body: unknown): Promise<Told<T>>;
}

export function onyx(base: string): Onyx {
  const post: Onyx['post'] = (path, body) => postJson(`${base}${path}`, body);
  const run: Onyx['run'] = async (code, more = {}) =>
    bodyOf(await post<OnyxRan>('/v1/execute', { code, timeout_ms: 30_000, ...more }));
  return {
    post,
    run,
    healthy: async () => bodyOf(await getJson<{ status: string }>(`${base}/health`)).status === 'ok',
    async stream(code) {
      const response = await send(`${base}/v1/execute/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code, timeout_ms: 30_000 }),
      });
      if (response.status !== 404) return eventsOf(await response.text());
      await response.body?.cancel();
      const { stdout, stderr, ...result } = await run(code);
      return [
        ...(stdout ? [['output', { stream: 'stdout', data: stdout }] as [string, unknown]] : []),
        ...(stderr ? [['output', { stream: 'stderr', data: stderr }] as [string, unknown]] : []),
        ['result', result],
      ];
    },
    async upload(content, name) {
      const form = new FormData();
      form.append('file', new Blob([new Uint8Array(content)]), name);
      const response = await send(`${base}/v1/files`, { method: 'POST', body: form });
      return bodyOf(await told<{ file_id: string }>(response), 201).file_id;
    },
    download: (id) => send(`${base}/v1/files/${id}`),
    delete: (id) => send(`${base}/v1/files/${id}`, { method: 'DELETE' }),
  };
}

function eventsOf(text: string): [string, unknown][] {
  return text
    .split('\n\n')
    .map((block) => /^event: (.+)\ndata: (.+)$/.exec(block))
    .filter((match) => match !== null)
    .map(([, event = '', data = '']) => [event, JSON.parse(data) as unknown]);
}
