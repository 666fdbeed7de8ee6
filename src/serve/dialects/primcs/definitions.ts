import type { Tool } from '@modelcontextprotocol/server';

const text = (description: string) => ({ type: 'string', description }) as const;

const artifact = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    relative_path: { type: 'string' },
    size: { type: 'integer' },
    mime: { type: 'string' },
  },
  required: ['name', 'relative_path', 'size', 'mime'],
} as const;

const entry = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    path: { type: 'string' },
    type: { type: 'string' },
    size: { type: 'integer' },
    modified: { type: 'string' },
  },
  required: ['name', 'path', 'type', 'size', 'modified'],
} as const;

/** The tools of PRIMCS: names and shapes are its own. */
export const definitions: Tool[] = [
  {
    name: 'run_code',
    description: [
      'Runs one whole Python script in a sandbox of its own and returns stdout and stderr.',
      'Print what is to come back: the value of an expression alone is not shown.',
      'Files are fetched first and found at mounts/<mountPath>, read-only. What is written to output/ comes back as artifacts,',
      'each with a relative_path to download it by: /artifacts/<relative_path>, with the mcp-session-id header.',
      'With a session, files stay from call to call; without one, each call starts from nothing. Variables are never kept.',
      'Where stdout is empty, `feedback` says what to do.',
    ].join(' '),
    inputSchema: {
      type: 'object',
      properties: {
        code: text('The script, of at most 20,000 characters.'),
        requirements: {
          anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'null' }],
          default: null,
          description: 'Packages for this call, such as "polars" or "httpx>=0.27".',
        },
        files: {
          anyOf: [
            { type: 'array', items: { type: 'object', additionalProperties: { type: 'string' } } },
            { type: 'null' },
          ],
          default: null,
          description: 'Files to fetch: {"url": "https://…", "mountPath": "data/a.csv"} each.',
        },
      },
      required: ['code'],
    },
    outputSchema: {
      type: 'object',
      properties: {
        stdout: { type: 'string' },
        stderr: { type: 'string' },
        artifacts: { type: 'array', items: artifact },
        session_id: { type: 'string' },
        feedback: { type: 'string' },
      },
      required: ['stdout', 'stderr', 'artifacts'],
    },
  },
  {
    name: 'persist_artifact',
    description:
      'Uploads a file that a run of this session wrote to output/ to a presigned URL, by PUT. relative_path is relative to output/: "reports/report.pdf".',
    inputSchema: {
      type: 'object',
      properties: {
        relative_path: text('The file, relative to output/.'),
        presigned_url: text('Where to PUT it.'),
      },
      required: ['relative_path', 'presigned_url'],
    },
    outputSchema: { type: 'object', additionalProperties: true },
  },
  {
    name: 'list_dir',
    description: 'Lists a folder in the workspace of this session.',
    inputSchema: {
      type: 'object',
      properties: {
        dir_path: {
          anyOf: [{ type: 'string' }, { type: 'null' }],
          default: null,
          description: 'Relative to the workspace, without "..". Default: the workspace itself.',
        },
      },
    },
    outputSchema: {
      type: 'object',
      properties: { result: { type: 'array', items: entry } },
      required: ['result'],
      'x-fastmcp-wrap-result': true,
    },
  },
  {
    name: 'preview_file',
    description:
      'Returns the first 8 KiB of a text file in the workspace of this session, of a file of 32 KiB at most.',
    inputSchema: {
      type: 'object',
      properties: { relative_path: text('Relative to the workspace, without "..".') },
      required: ['relative_path'],
    },
    outputSchema: {
      type: 'object',
      properties: {
        name: { type: 'string' },
        path: { type: 'string' },
        size: { type: 'integer' },
        mime: { type: 'string' },
        content: { type: 'string' },
      },
      required: ['name', 'path', 'size', 'mime', 'content'],
    },
  },
  {
    name: 'mount_file',
    description:
      'Fetches a file once for this session and keeps it at mounts/<mount_path>, where later calls of run_code find it.',
    inputSchema: {
      type: 'object',
      properties: {
        url: text('Where to fetch it from (http or https).'),
        mount_path: text('Where to put it below mounts/: "data/a.csv".'),
      },
      required: ['url', 'mount_path'],
    },
    outputSchema: { type: 'object', additionalProperties: true },
  },
];
