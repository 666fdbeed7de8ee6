import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ownAgent = fileURLToPath(new URL('../../agent', import.meta.url));

/** User and group of what runs in a sandbox. */
export const nobody = 65_532;

export interface InstalledAgent {
  folder: string;
  remove(): void;
}

/**
 * The agent where the sandbox's user can read it. A server that is root starts sandboxes as another user, because the
 * kernel holds root to no process limit, and that user may not see into the folder that this program is in.
 */
export function installAgent(isRoot: boolean): InstalledAgent {
  if (!isRoot) return { folder: ownAgent, remove: () => undefined };
  const parent = mkdtempSync(join(tmpdir(), 'vivarium-agent-'));
  chmodSync(parent, 0o755);
  const folder = join(parent, 'agent');
  cpSync(ownAgent, folder, { recursive: true });
  return {
    folder,
    remove() {
      rmSync(parent, { recursive: true, force: true });
    },
  };
}

/** Where the local sandbox finds what it needs, and how to install what is missing. */
export const programs = [
  { path: '/usr/bin/bwrap', package: 'bubblewrap' },
  { path: '/usr/bin/python3', package: 'python3' },
] as const;

/** The programs that this machine lacks. */
export function missingPrograms() {
  return programs.filter(({ path }) => !existsSync(path));
}

/** Folders of the root that may be links into /usr. */
const rootFolders = ['/bin', '/sbin', '/lib', '/lib64', '/lib32'];

/** Files that programs read without which they misbehave; each is there or it is not. */
const systemFiles = [
  '/etc/alternatives',
  '/etc/ld.so.cache',
  '/etc/localtime',
  '/etc/mime.types',
  '/etc/fonts',
];

/** What programs read that reach a network. */
const networkFiles = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/ssl', '/etc/pki'];

/** What the sandbox of a build has, and no other. */
export interface BuilderFiles {
  uv: string;
  /** Folder with the credentials of the package index, empty for none. */
  index: string;
  /** The certificates to trust instead of the system's, empty for those. */
  certificates: string;
}

export interface SandboxFolders {
  agent: string;
  /** Folder of the environments; undefined where there is none. */
  environments: string | undefined;
  /** Given for a build, which may write the environments and has a network. */
  builder: BuilderFiles | undefined;
}

/** Arguments of bwrap for one sandbox: no network, nothing to write but memory, nobody's processes, no privileges. */
export function bubblewrapArguments(
  { agent, environments, builder }: SandboxFolders,
  workspaceMb: number,
  threads: number,
): string[] {
  const size = String(workspaceMb * 1_048_576);
  const env: Record<string, string> = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    HOME: '/workspace',
    MPLBACKEND: 'Agg',
    PYTHON_CPU_COUNT: String(threads),
    OMP_NUM_THREADS: String(threads),
    OPENBLAS_NUM_THREADS: String(threads),
  };
  return [
    ...[
      '--unshare-all',
      ...(builder ? ['--share-net'] : []),
      '--as-pid-1',
      '--die-with-parent',
      '--new-session',
      '--clearenv',
    ],
    ...['--cap-drop', 'ALL', '--uid', String(nobody), '--gid', String(nobody), '--hostname', 'sandbox'],
    ...['--ro-bind', '/usr', '/usr'],
    ...rootFolders.flatMap(rootFolder),
    ...systemFiles.filter(existsSync).flatMap((path) => ['--ro-bind', path, path]),
    ...['--ro-bind', agent, '/opt/vivarium/agent'],
    ...(environments === undefined ? [] : [builder ? '--bind' : '--ro-bind', environments, '/environments']),
    ...(builder ? builderArguments(builder) : []),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...['--size', size, '--tmpfs', '/tmp', '--size', size, '--tmpfs', '/workspace'],
    // Programs that were written for LibreChat's interpreter know the workspace as /mnt/data.
    ...['--symlink', '/workspace', '/mnt/data'],
    ...['--remount-ro', '/', '--chdir', '/workspace'],
    ...Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--', '/usr/bin/python3', '-I', '-S', '/opt/vivarium/agent'],
  ];
}

function builderArguments({ uv, index, certificates }: BuilderFiles): string[] {
  const bundle = '/etc/vivarium-certificates.pem';
  return [
    ...networkFiles.filter(existsSync).flatMap((path) => ['--ro-bind', realpathSync(path), path]),
    ...['--ro-bind', uv, '/opt/vivarium/uv'],
    ...(index === '' ? [] : ['--ro-bind', index, '/index']),
    ...(certificates === '' ? [] : ['--ro-bind', certificates, bundle, '--setenv', 'SSL_CERT_FILE', bundle]),
  ];
}

function rootFolder(path: string): string[] {
  if (!existsSync(path)) return [];
  return lstatSync(path).isSymbolicLink()
    ? ['--symlink', readlinkSync(path), path]
    : ['--ro-bind', path, path];
}
