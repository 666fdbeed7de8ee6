import type { ExecutionRequest } from '../../../src/request/execution.ts';
import { ServiceError } from '../../../src/result/errors.ts';
import type { Artifact, ExecutionResult } from '../../../src/result/execution-result.ts';
import type { RunOptions } from '../../../src/schedule/run.ts';
import { createMcpFactory, type DoorSettings, type OnError } from '../../../src/serve/mcp.ts';
import type { Sessions } from '../../../src/sessions/sessions.ts';
import type { Offers } from '../../../src/serve/offers.ts';
import { fakeSessions } from '../../unit/support/fake-sessions.ts';
import { artifact as kept, result as printed } from '../../unit/support/result.ts';

const executionId = 'a'.repeat(26);
const MiB = 1_048_576;

/** Whose the artifacts are. */
export const owner = 'alice';

export const doorSettings: DoorSettings = {
  maxCodeBytes: 1000,
  maxStdinBytes: 1000,
  inputFiles: 10,
  inputBytes: 1000,
  fetchHosts: [],
  packagesAllowed: [],
  packagesDenied: ['denied'],
  pistonUrl: '',
  pools: [],
  callerHeader: '',
  defaultTimeoutSeconds: 30,
  maxTimeoutSeconds: 300,
  defaultMemoryMb: 512,
  maxMemoryMb: 2048,
  sessionIdleSeconds: 600,
  sessionMaxAgeSeconds: 14_400,
};

/** All bytes there are: no text. */
const binary = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

/** Files as a store holds them, by path. */
export const files: Record<string, { type: string; bytes: Buffer }> = {
  'figure-1.png': { type: 'image/png', bytes: Buffer.alloc(1000, binary) },
  'report.csv': { type: 'text/csv', bytes: Buffer.from('a,b\n"ü",2\n') },
  'broken.txt': { type: 'text/plain', bytes: Buffer.of(0x61, 0xff) },
  'large.txt': { type: 'text/plain', bytes: Buffer.alloc(20_000, 'x') },
  'data.bin': { type: 'application/octet-stream', bytes: Buffer.alloc(6 * MiB, binary) },
  'quotes.json': { type: 'application/json', bytes: Buffer.alloc(6 * MiB, '"') },
  'huge.bin': { type: 'application/octet-stream', bytes: Buffer.alloc(33 * MiB) },
};

/** The id of the artifact of a path. */
export function idOf(path: string): string {
  const place = Object.keys(files).indexOf(path);
  return `${executionId}-${'abcdefgh'.charAt(place).repeat(16)}`;
}

/** Reading it fails. */
export const faultyId = `${executionId}-${'y'.repeat(16)}`;

export const artifacts: Artifact[] = [
  ...Object.entries(files).map(([path, { type, bytes }]) => ({
    ...kept,
    id: idOf(path),
    path,
    name: path,
    kind: path.startsWith('figure') ? ('figure' as const) : ('output' as const),
    mime_type: type,
    size: bytes.length,
  })),
  {
    ...kept,
    id: null,
    path: 'lost.bin',
    name: 'lost.bin',
    mime_type: 'application/octet-stream',
    size: 5,
    error: 'The artifact store failed.',
  },
];

export const result: ExecutionResult = {
  ...printed,
  execution_id: executionId,
  value: { text: '42', html: '<b>42</b>' },
  artifacts,
  left_out: { total: 1, files: [{ path: 'fifo', reason: 'type' }] },
};

/** What is offered beside runs; the artifacts are one caller's. */
export function offers(artifactsOf: string): Offers {
  return {
    readArtifact(id, caller) {
      if (id === faultyId) return Promise.reject(new Error('unexpected'));
      const artifact = artifacts.find((each) => each.id === id);
      const file = files[artifact?.path ?? ''];
      const isTheirs = caller === artifactsOf;
      return Promise.resolve(
        artifact && file && isTheirs ? { artifact, bytes: () => Promise.resolve(file.bytes) } : undefined,
      );
    },
    locate: (id) => `https://vivarium.example.org/v1/artifacts/${id}`,
    async listPackages(requirements, { onProgress }) {
      if (requirements.includes('nonsense')) {
        throw new ServiceError('build_failed', 'There is no package "nonsense".');
      }
      if (requirements.includes('fault')) throw new Error('unexpected');
      if (requirements.length > 0) {
        onProgress('Resolved 1 package');
        await new Promise((resolve) => setTimeout(resolve, 600));
      }
      const packages = ['numpy', ...requirements].map((name) => ({ name, version: '1.0' }));
      return { python: '3.13.5', packages };
    },
    listRuntimes: () =>
      Promise.resolve({
        runtimes: [
          { language: 'python', version: '3.13.5', aliases: [], isolation: 'sandbox' },
          { language: 'go', version: '1.16.2', aliases: ['golang'], isolation: 'piston' },
        ],
        hints: [],
      }),
    hasEnvironments: true,
  };
}

/** MCP before a service whose every run leaves those files behind. */
export function offeringFactory(
  options: { caller?: string; settings?: Partial<DoorSettings>; sessions?: Sessions; onError?: OnError } = {},
) {
  const { caller = owner } = options;
  const execute = (_request: ExecutionRequest, { onEvent }: RunOptions) => {
    onEvent?.({ type: 'queued' });
    return Promise.resolve(result);
  };
  return createMcpFactory(
    { service: { execute }, sessions: options.sessions ?? fakeSessions(caller), offers: offers(caller) },
    { ...doorSettings, ...options.settings },
    options.onError ?? (() => undefined),
  );
}
