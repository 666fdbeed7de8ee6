import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { familyOf, usageOf } from './processes.ts';

export interface Stage {
  signal: string | null;
  stdout: string;
  stderr: string;
  code: number | null;
  output: string;
  memory: number | null;
  message: string | null;
  status: 'RE' | 'SG' | 'TO' | 'OL' | 'EL' | 'XX' | null;
  cpu_time: number | null;
  wall_time: number | null;
}

export interface Command {
  /** A script for bash. */
  script: string;
  args: string[];
  stdin: string;
  folder: string;
  env: Record<string, string>;
}

/** Milliseconds and bytes; 0 and less is none. */
export interface StageLimits {
  timeout: number;
  cpu_time: number;
  memory_limit: number;
  output_max_size: number;
}

type Stop = Pick<Stage, 'message' | 'status'>;

const lookMs = 5;
/** Bytes: bash itself has more. */
const leastMemory = 1_000_000;
/** What isolate says on stderr when Piston ends it. */
const keeperWords = 'Sandbox keeper received fatal signal 6\n';
/** A program has its streams open and one file more, as in Piston, and nothing that whoever started the tests left open. */
const ownFiles =
  'for path in /proc/$$/fd/*; do fd=${path##*/}; ((fd < 3)) || exec {fd}>&-; done; exec 3</dev/null';
/** File size in KiB and open files, as Piston sets them. */
const boxLimits = 'ulimit -f 10000 -n 2048';

/** Runs a stage and watches over it. The signal ends it. */
export async function runStage(command: Command, limits: StageLimits, signal: AbortSignal): Promise<Stage> {
  const child = spawn(
    'bash',
    ['-c', `${ownFiles}; ${boxLimits}; exec bash "$0" "$@"`, command.script, ...command.args],
    {
      cwd: command.folder,
      env: command.env,
      detached: true,
    },
  );
  const began = performance.now();
  const { pid = 0 } = child;
  const kill = () => {
    // The first one first, or it would tell of the others' end.
    for (const each of [pid, ...familyOf(pid)]) end(each);
    end(-pid);
  };
  const texts = { stdout: '', stderr: '', output: '' };
  const ended: { stop?: Stop; capped?: true } = {};
  const take = (stream: 'stdout' | 'stderr', data: Buffer | string) => {
    if (texts[stream].length + data.length > limits.output_max_size) {
      ended.stop = { status: stream === 'stdout' ? 'OL' : 'EL', message: `${stream} length exceeded` };
      ended.capped = true;
      kill();
    } else {
      // Chunks are decoded one by one, so a character that is split is lost: Piston's way.
      const text = data.toString();
      texts[stream] += text;
      texts.output += text;
    }
  };
  child.stdout.on('data', (data: Buffer) => {
    take('stdout', data);
  });
  child.stderr.on('data', (data: Buffer) => {
    take('stderr', data);
  });
  child.stdin.on('error', () => undefined); // the program does not read it
  child.stdin.end(command.stdin);
  let peak = 0;
  let cpu = 0;
  // isolate counts memory in units of 1000 bytes: below one there is no limit.
  const memoryLimit = Math.floor(limits.memory_limit / 1000) * 1000;
  const look = () => {
    const members = usageOf([...familyOf(pid), pid]);
    const used = members.reduce((sum, each) => sum + each.own, 0);
    peak = Math.max(peak, used);
    cpu = Math.max(
      cpu,
      members.reduce((sum, each) => sum + each.cpuMs, 0),
    );
    if (limits.timeout > 0 && performance.now() - began > limits.timeout) {
      ended.stop ??= { status: 'TO', message: 'Time limit exceeded (wall clock)' };
    } else if (limits.cpu_time > 0 && cpu > limits.cpu_time) {
      ended.stop ??= { status: 'TO', message: 'Time limit exceeded' };
    }
    if (ended.stop) kill();
    if (memoryLimit > 0 && used > memoryLimit) {
      peak = memoryLimit;
      const [largest] = members.sort((one, other) => other.own - one.own);
      if (largest) end(largest.pid);
    }
  };
  const timer = setInterval(look, lookMs);
  signal.addEventListener('abort', kill, { once: true });
  const closed = once(child, 'close');
  try {
    if (memoryLimit > 0 && memoryLimit < leastMemory) {
      peak = memoryLimit;
      end(pid);
    }
    look();
    const [code, killed] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    kill();
    await Promise.race([closed, sleep(500)]);
    const wall = Math.round(performance.now() - began);
    if (ended.capped) take('stderr', keeperWords);
    return { ...endOf(code, killed, ended.stop), ...measured(texts, peak, cpu, wall) } satisfies Stage;
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', kill);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

type End = Pick<Stage, 'signal' | 'code' | 'message' | 'status'>;

function endOf(code: number | null, killed: NodeJS.Signals | null, stop: Stop | undefined): End {
  if (stop) return { signal: 'SIGKILL', code: null, ...stop };
  if (killed !== null) {
    return {
      signal: killed,
      code: null,
      message: `Caught fatal signal ${constants.signals[killed]}`,
      status: 'SG',
    };
  }
  return code === 0
    ? { signal: null, code, message: null, status: null }
    : { signal: null, code, message: `Exited with error status ${code ?? ''}`, status: 'RE' };
}

function measured(
  texts: Pick<Stage, 'stdout' | 'stderr' | 'output'>,
  memory: number,
  cpu: number,
  wall: number,
) {
  return { ...texts, memory, cpu_time: Math.round(cpu), wall_time: wall };
}

/** In Piston's order. */
export function inOrder({ signal, stdout, stderr, code, output, memory, ...rest }: Stage): Stage {
  const { message, status, cpu_time, wall_time } = rest;
  return { signal, stdout, stderr, code, output, memory, message, status, cpu_time, wall_time };
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
