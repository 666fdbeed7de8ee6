import type { Frame } from '../output/frame.ts';

/** What a run may use, after policy. */
export interface Limits {
  seconds: number;
  cpu: number;
  memory_mb: number;
}

/** What a sandbox is made of. */
export interface Kind {
  image: string;
  /** Empty for none. */
  runtimeClass: string;
  cpu: number;
  memory_mb: number;
}

/** The run that a sandbox serves. */
export interface Claim {
  executionId: string;
  /** Who asked for it; empty where callers are not told apart. */
  caller: string;
  /** Correlates a cancellation that reaches another replica with this run. */
  requestKey: string | undefined;
  limits: Limits;
}

export interface SandboxSpec {
  kind: Kind;
  /** The pool that it is made for. */
  pool: string | undefined;
  /** Its run, where that is known from the start. */
  claim: Claim | undefined;
  /** How long it may live after its start, its run included. */
  lifeSeconds: number;
  /** Whether it builds an environment: it may write the volume of environments and reach the package index. */
  build: boolean;
}

/** The program and its inputs, as the agent takes them. */
export interface Program {
  code: string;
  stdin: string;
  args: string[];
  env: Record<string, string>;
  /** Files for mounts/, in chunks: those of one path follow each other. Throws ServiceError where one cannot be had. */
  files: AsyncIterable<InputChunk> | Iterable<InputChunk>;
  /** Folder of its packages inside the sandbox. */
  environment: string | null;
  mode: RunMode;
  /** Most bytes that are kept of each stream, where that is not for the settings to say. */
  outputBytes?: number;
  /** Nobody takes files and figures that it leaves behind: they are not carried, and it finds no folder for them. */
  artifacts?: false;
}

/**
 * What becomes of the sandbox when a program has ended. `single`: it ends too. `program`: it stays, for files and further
 * programs, each in an interpreter of its own. `cell`: its interpreter stays as well, with variables and imports.
 */
export type RunMode = 'single' | 'program' | 'cell';

export interface InputChunk {
  path: string;
  /** 256 KiB at most. */
  bytes: Uint8Array;
}

/** A file or folder of a workspace. */
export interface Entry {
  /** Relative to /workspace. */
  path: string;
  kind: 'file' | 'folder' | 'other';
  /** Bytes. */
  size: number;
  /** Seconds since 1970, with fractions. */
  modified: number;
}

export interface Listing {
  /** By path. */
  entries: Entry[];
  /** How many there are beside these. */
  left_out: number;
}

/**
 * The workspace of a sandbox, before its program and after one that is not `single`. Paths are relative to /workspace; no
 * link is followed. Throws ServiceError (file_not_found, file_unusable, workspace_full, too_large), SandboxLost, and the
 * signal's reason.
 */
export interface WorkspaceFiles {
  /** Makes a file, with its folders, or replaces it: whole or not at all. */
  write(path: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** What is in a folder ('' is the workspace); with `recursive`, below it. */
  list(path: string, options: { recursive: boolean }, signal: AbortSignal): Promise<Listing>;
  /** All of a file. too_large where it has more than `maxBytes`. */
  read(path: string, maxBytes: number, signal: AbortSignal): Promise<Buffer>;
}

/** A started sandbox. It runs one program, or, as long as none is `single`, one after another. */
export interface Sandbox {
  /** When it had a place (a node, a process); performance.now(). */
  placedAt: number;
  /** Aborts when it ends without having had a run. */
  gone: AbortSignal;
  /**
   * Imports modules into the interpreter that will run the program. The answer names those that failed, and why. Throws
   * SandboxLost, and the signal's reason.
   */
  preload(modules: readonly string[], signal: AbortSignal): Promise<Record<string, string>>;
  /**
   * Sends the program and yields its frames to the last. Throws SandboxLost if the sandbox goes before that, what its files
   * throw, and the signal's reason if it is aborted.
   */
  run(claim: Claim, program: Program, signal: AbortSignal): AsyncGenerator<Frame, void>;
  files: WorkspaceFiles;
  /** Ends the sandbox if it has not ended, and takes it away. Never throws. */
  dispose(): Promise<void>;
}

/** A sandbox that is to be kept for a session. */
export interface SessionSpec {
  /** Names the session in the cluster: a hash of its handle, which is nobody's but its caller's. */
  key: string;
  caller: string;
  kind: Kind;
  /** How long it may live in all, and how long at first; `extend` lets it live on. */
  maxAgeSeconds: number;
  lifeSeconds: number;
}

/** Why a session has ended, for its caller. */
export const sessionEnds = ['ended', 'idle', 'too_old', 'server_stopped', 'sandbox_lost'] as const;
export type SessionEnd = (typeof sessionEnds)[number];

export interface SessionSandbox extends Sandbox {
  /** Lets it live for this long from now on. Throws what the backend does. */
  extend(lifeSeconds: number, signal: AbortSignal): Promise<void>;
  /** Takes it away, and leaves on record why for retentionSeconds. Never throws. */
  end(why: SessionEnd): Promise<void>;
}

/** What any replica knows of a session. */
export interface SessionTrace {
  /** The replica whose it is, and where the others reach that; empty where they cannot. */
  replica: string;
  url: string;
  /** Undefined while it lives. */
  ended: SessionEnd | undefined;
}

/** There is a session of this key already. */
export class SessionThere extends Error {
  override name = 'SessionThere';
}

/** What is known of a run by its id alone, wherever it runs. */
export interface Trace {
  executionId: string;
  limits: Limits;
  /** Frames so far. */
  frames: Frame[];
  /** Where the frames end without `exit` although the sandbox has ended: why. */
  lost: SandboxLost | undefined;
}

/** An environment as it stands on record. */
export interface EnvironmentRecord {
  requirements: string[];
  bytes: number;
  /** ISO 8601. */
  created: string;
  /** When a run last asked for it, to ten minutes; ISO 8601. */
  used: string;
  /** Packages of the image that it replaces. */
  shadows: string[];
}

/** Which environments there are, for all replicas. Its calls throw what the backend does. */
export interface EnvironmentRecords {
  all(signal: AbortSignal): Promise<{ records: Map<string, EnvironmentRecord>; version: string }>;
  put(key: string, record: EnvironmentRecord, signal: AbortSignal): Promise<void>;
  /** False where something changed since `version`: then nothing is forgotten. */
  forget(keys: string[], version: string, signal: AbortSignal): Promise<boolean>;
}

/** A build of this environment has its sandbox already, perhaps on another replica. */
export class AlreadyThere extends Error {
  override name = 'AlreadyThere';
}

/** The caller of builds. No name of a caller holds this character, and nobody else gets to them. */
export const builds = '\0';

/** A caller's run (anybody's but a build where the caller is empty), by its id or by what a request of its client has as its key. */
export type RunSelector = { caller: string } & ({ executionId: string } | { requestKey: string });

/** A place where sandboxes run. */
export interface Backend {
  name: BackendName;
  /** Starts a sandbox. Throws ServiceError, AlreadyThere for a build, or the signal's reason. */
  open(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox>;
  /** Starts the sandbox of a session. What is on record of one that ended makes room. Throws as `open` does, and SessionThere. */
  openSession(spec: SessionSpec, signal: AbortSignal): Promise<SessionSandbox>;
  /** A caller's session on any replica; undefined where there is none of this key, and where it is another caller's. */
  findSession(key: string, caller: string, signal: AbortSignal): Promise<SessionTrace | undefined>;
  /** Keys of a caller's sessions that live, on all replicas. */
  sessionsOf(caller: string, signal: AbortSignal): Promise<string[]>;
  /** Where replicas are reached that have sessions, this one too; those that say it. */
  sessionOwners(signal: AbortSignal): Promise<string[]>;
  /** The environments that are there; undefined where there is no volume for them. */
  environments: EnvironmentRecords | undefined;
  /** A caller's run on any replica by its id; anybody's but a build where the caller is empty. */
  find(executionId: string, caller: string, signal: AbortSignal): Promise<Trace | undefined>;
  /** Ends runs on any replica. How many there were. */
  cancel(by: RunSelector, signal: AbortSignal): Promise<number>;
  /** Whether it can start sandboxes now; the text says why not. */
  ready(): { ok: true } | { ok: false; why: string };
  /** Takes away everything that this server still has there. */
  close(): Promise<void>;
}

export const backendNames = ['kubernetes', 'local'] as const;
export type BackendName = (typeof backendNames)[number];

export const lossCauses = [
  'out_of_memory',
  'evicted',
  'cancelled',
  'timed_out',
  'node_lost',
  'unknown',
] as const;

export type LossCause = (typeof lossCauses)[number];

/** The sandbox ended without saying how its program did. */
export class SandboxLost extends Error {
  override name = 'SandboxLost';
  override readonly cause: LossCause;

  constructor(cause: LossCause, message: string) {
    super(message);
    this.cause = cause;
  }
}
