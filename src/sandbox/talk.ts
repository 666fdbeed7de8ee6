import { createDecoder } from '../output/decoder.ts';
import { endsAnswer, type Frame, isLast } from '../output/frame.ts';
import { type Claim, type Program, type Sandbox, SandboxLost } from '../schedule/backend.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { type AgentLimits, createGuard, readFrames, readReady, type Source } from './conversation.ts';
import { fileLine, helloLine, requestLine, stopLine } from './lines.ts';
import { workspaceFiles } from './workspace.ts';

/** The way to one agent and back. */
export interface Wire {
  /** Sends bytes to stdin; resolves once they are on their way. The signal stops it, amid them. */
  send(bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** stdout from where the last reader left it. */
  stdout(signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Where an answer can be read: stdout first, and then where else there is one. */
  sources(signal: AbortSignal): () => Promise<Source | undefined>;
  /** Why frames ended before their last one. */
  whyEnded(stray: string | undefined, signal: AbortSignal): Promise<SandboxLost>;
  /** Aborts when the connection ends. */
  gone: AbortSignal;
  /** Ends the connection. */
  end(): void;
}

/** What is asked of an agent, one thing after another. */
export interface Talk extends Pick<Sandbox, 'preload' | 'files'> {
  /** Throws SandboxLost, what the files of the program throw, and the signal's reason. */
  run(
    claim: Claim,
    program: Program,
    limits: AgentLimits,
    signal: AbortSignal,
    onFrame: (frame: Frame) => void,
  ): AsyncGenerator<Frame, void>;
}

/** Longest wait for an answer about the workspace. */
const answerSeconds = 60;

/** Sends to an agent, and reads what it answers. */
export function createTalk(wire: Wire): Talk {
  const decoder = createDecoder();
  let before: Promise<unknown> = Promise.resolve();

  /**
   * Has `take` see the frames of an answer. Who asked may go away: the answer is read all the same, because it comes before
   * the next one.
   */
  async function ask(
    lines: Iterable<Uint8Array>,
    take: (frame: Frame) => void,
    callerSignal: AbortSignal,
  ): Promise<void> {
    callerSignal.throwIfAborted();
    const answer = before.then(async () => {
      callerSignal.throwIfAborted(); // nobody waits, and nothing was sent
      await checkConnected(callerSignal);
      const late = new AbortController();
      const patience = setTimeout(() => {
        late.abort();
      }, answerSeconds * 1000);
      // An agent that reads no more is waited for no longer than one that does not answer.
      const sending = AbortSignal.any([wire.gone, late.signal]);
      try {
        for (const line of lines) await wire.send(line, sending);
        late.signal.throwIfAborted();
        await readAnswer(take, late.signal);
      } catch (error) {
        if (!late.signal.aborted) throw error;
        wire.end(); // what it may still answer is for no other question
        throw new SandboxLost('unknown', `The sandbox has not answered in ${answerSeconds} s.`);
      } finally {
        clearTimeout(patience);
      }
    });
    before = answer.catch(() => undefined);
    await unlessAborted(answer, callerSignal);
  }

  /** What an agent answers that can be asked no more is for those who asked before. Throws SandboxLost. */
  async function checkConnected(signal: AbortSignal): Promise<void> {
    if (wire.gone.aborted) throw await wire.whyEnded(undefined, signal);
  }

  async function readAnswer(take: (frame: Frame) => void, signal: AbortSignal): Promise<void> {
    const reading = readFrames(decoder, endsAnswer, wire.sources(signal));
    let last: Frame | undefined;
    let next = await reading.next();
    for (; !next.done; next = await reading.next()) take((last = next.value));
    if (!last || !endsAnswer(last)) throw await wire.whyEnded(next.value.stray, signal);
  }

  async function sendFiles(
    { executionId }: Claim,
    { files, mode }: Program,
    callerSignal: AbortSignal,
  ): Promise<void> {
    // Half a line would be the end of a sandbox that is to stay.
    const signal = mode === 'single' ? callerSignal : wire.gone;
    try {
      for await (const chunk of files) {
        await wire.send(fileLine(chunk), signal);
        callerSignal.throwIfAborted();
      }
    } catch (error) {
      if (mode !== 'single') await wire.send(stopLine(executionId), wire.gone);
      throw error;
    }
  }

  return {
    files: workspaceFiles(ask),
    async preload(modules, signal) {
      await wire.send(helloLine(modules), signal);
      return await readReady(decoder, wire.stdout(signal));
    },
    async *run(claim, program, limits, callerSignal, onFrame) {
      await before;
      if (program.mode !== 'single') await checkConnected(callerSignal);
      await sendFiles(claim, program, callerSignal);
      callerSignal.throwIfAborted();
      const stays = program.mode !== 'single';
      const guard = createGuard(claim.limits);
      const stop = () => {
        guard.stops();
        void wire.send(stopLine(claim.executionId), wire.gone);
      };
      // A sandbox that stays is asked to stop, and says how its program ended.
      if (stays) callerSignal.addEventListener('abort', stop, { once: true });
      const signal = stays ? guard.overdue : AbortSignal.any([callerSignal, guard.overdue]);
      let last: Frame | undefined;
      try {
        void wire.send(requestLine(claim.executionId, program, limits), stays ? wire.gone : signal);
        const { stray } = yield* readFrames(decoder, isLast, wire.sources(signal), (frame) => {
          if (frame.type === 'exit') guard.collects();
          last = frame;
          onFrame(frame);
        });
        if (!last || !isLast(last)) throw await wire.whyEnded(stray, signal);
      } catch (error) {
        if (!stays) callerSignal.throwIfAborted();
        throw guard.overdue.aborted ? overdue(callerSignal) : error;
      } finally {
        guard.end();
        callerSignal.removeEventListener('abort', stop);
      }
    },
  };
}

function overdue(callerSignal: AbortSignal): SandboxLost {
  return callerSignal.aborted
    ? new SandboxLost('cancelled', 'The run was cancelled, and its sandbox with it, which did not stop it.')
    : new SandboxLost('timed_out', 'The sandbox did not end by itself at its limit, and was ended.');
}
