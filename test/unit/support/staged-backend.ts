import type { Sandbox, SandboxSpec } from '../../../src/schedule/backend.ts';
import { aborted, emit, noFiles } from './fake-backend.ts';

/** A sandbox that a test takes from stage to stage. */
export class StagedSandbox {
  readonly spec: SandboxSpec;
  stage: 'opening' | 'open' | 'preloading' | 'preloaded' | 'failed' = 'opening';
  modules: readonly string[] = [];
  disposals = 0;
  readonly #opened = Promise.withResolvers<undefined>();
  readonly #preloaded = Promise.withResolvers<Record<string, string>>();
  readonly #gone = new AbortController();

  constructor(spec: SandboxSpec) {
    this.spec = spec;
    for (const { promise } of [this.#opened, this.#preloaded]) promise.catch(() => undefined);
  }

  /** Tells which sandbox one is that a pool gave. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  open(): void {
    this.#opened.resolve(undefined);
  }

  /** Its opening or its preload fails. */
  fail(error: Error): void {
    if (this.stage === 'opening') this.#opened.reject(error);
    else this.#preloaded.reject(error);
  }

  preloaded(failed: Record<string, string> = {}): void {
    this.#preloaded.resolve(failed);
  }

  /** Opens and is preloaded at once. */
  getReady(): void {
    this.open();
    this.preloaded();
  }

  goAway(reason = new Error('It went away.')): void {
    this.#gone.abort(reason);
  }

  async start(signal: AbortSignal): Promise<Sandbox> {
    await this.#reach(this.#opened.promise, 'open', signal);
    return {
      placedAt: performance.now(),
      gone: this.#gone.signal,
      preload: async (modules, preloadSignal) => {
        this.modules = modules;
        this.stage = 'preloading';
        return this.#reach(this.#preloaded.promise, 'preloaded', preloadSignal);
      },
      files: noFiles,
      run: () => emit([]),
      dispose: () => {
        this.disposals += 1;
        return Promise.resolve();
      },
    };
  }

  async #reach<T>(when: Promise<T>, stage: 'open' | 'preloaded', signal: AbortSignal): Promise<T> {
    try {
      const value = await Promise.race([when, aborted(signal)]);
      this.stage = stage;
      return value;
    } catch (error) {
      this.stage = 'failed';
      throw error;
    }
  }
}

/** A backend that starts sandboxes when a test says so; `opening` sees each one that is asked for. */
export function stagedBackend(opening: (sandbox: StagedSandbox) => void = () => undefined) {
  const sandboxes: StagedSandbox[] = [];
  return {
    /** In the order in which they were asked for. */
    sandboxes,
    open: (spec: SandboxSpec, signal: AbortSignal) => {
      const sandbox = new StagedSandbox(spec);
      sandboxes.push(sandbox);
      opening(sandbox);
      return sandbox.start(signal);
    },
  };
}
