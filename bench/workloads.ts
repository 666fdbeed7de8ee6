/** A program, and what it must do: an arm whose answer differs in a byte has failed. */
export interface Workload {
  name: WorkloadName;
  code: string;
  exitCode: number;
  stdout: string;
  /** The last line of stderr; empty where nothing is written there. */
  lastError: string;
}

export const workloadNames = ['print', 'pandas', 'output', 'failing'] as const;
export type WorkloadName = (typeof workloadNames)[number];

/** What an arm received. `stderr` is undefined where the way that it came mixes it into stdout. */
export interface Received {
  exitCode: number | null;
  stdout: string;
  stderr: string | undefined;
}

const succeeds = (name: WorkloadName, code: string, stdout: string): Workload => ({
  name,
  code,
  exitCode: 0,
  stdout,
  lastError: '',
});

const lineOfOutput = `${'x'.repeat(99)}\n`;
export const megabyte = 1_000_000;

/** A program that prints this many bytes, in lines. */
export function printing(bytes: number): { code: string; stdout: string } {
  const lines = bytes / lineOfOutput.length;
  return {
    code: `import sys\nsys.stdout.write(("x" * ${lineOfOutput.length - 1} + "\\n") * ${lines})`,
    stdout: lineOfOutput.repeat(lines),
  };
}

const output = printing(megabyte);

export const workloads: Record<WorkloadName, Workload> = {
  print: succeeds('print', 'print(6 * 7)', '42\n'),
  pandas: succeeds(
    'pandas',
    `import pandas as pd
frame = pd.DataFrame({"group": [n % 3 for n in range(99)], "value": range(99)})
print(frame.groupby("group")["value"].sum().to_dict())`,
    '{0: 1584, 1: 1617, 2: 1650}\n',
  ),
  output: succeeds('output', output.code, output.stdout),
  failing: {
    name: 'failing',
    code: 'print("before")\nraise ValueError("on purpose")',
    exitCode: 1,
    stdout: 'before\n',
    lastError: 'ValueError: on purpose\n',
  },
};

/** What is wrong with what was received; undefined where it is exactly right. */
export function faultOf({ exitCode, stdout, lastError }: Workload, received: Received): string | undefined {
  if (received.exitCode !== exitCode) return `exit code ${String(received.exitCode)}, not ${exitCode}`;
  if (received.stderr === undefined && lastError !== '') {
    // The order of the two streams is lost, as each is buffered by itself.
    return received.stdout.includes(stdout) && received.stdout.includes(lastError)
      ? undefined
      : `output ${shown(received.stdout)}`;
  }
  if (received.stdout !== stdout) return `stdout ${shown(received.stdout)}, not ${shown(stdout)}`;
  const stderr = received.stderr ?? '';
  const isRight = lastError === '' ? stderr === '' : stderr.endsWith(lastError);
  return isRight ? undefined : `stderr ${shown(stderr)}`;
}

function shown(text: string): string {
  return `${JSON.stringify(text.slice(-100))} (${text.length} characters)`;
}
