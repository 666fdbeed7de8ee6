import type { ExecutionRequestInput } from '../../../src/request/execution.ts';
import type { Status } from '../../../src/result/execution-result.ts';
import type { BackendName } from '../harness/server.ts';

export interface Hostile {
  name: string;
  /** Runs after "kept" was printed: with a newline and flushed on stdout, without either on stderr. */
  code: string;
  request?: Omit<ExecutionRequestInput, 'code'>;
  status: Status | Record<BackendName, Status>;
  exitCode: number | null;
  /** What stderr must hold beside what was kept. */
  stderr?: RegExp;
}

/** Seconds that each may run; those that end by themselves do so well before. */
export const limitSeconds = 3;

const ignoreSignals = `import signal
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
`;

const bomb = `kept = []
while True: kept.append(bytearray(b'x') * (1 << 20))`;

export const hostiles: Hostile[] = [
  {
    name: 'sleeps past its limit',
    code: 'import time; time.sleep(1000)',
    status: 'timed_out',
    exitCode: null,
  },
  { name: 'is busy without end', code: 'while True: pass', status: 'timed_out', exitCode: null },
  {
    name: 'ignores every signal',
    code: `${ignoreSignals}import time\nwhile True: time.sleep(1000)`,
    status: 'timed_out',
    exitCode: null,
  },
  {
    name: 'is a fork bomb',
    code: 'import os\nwhile True:\n try: os.fork()\n except OSError: pass',
    status: 'timed_out',
    exitCode: null,
  },
  {
    name: 'leaves a daemon, forked twice',
    code: `import os, time
done, ready = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import signal
        for number in range(1, 32):
            if number not in (9, 19): signal.signal(number, signal.SIG_IGN)
        os.write(ready, b'.')
        while True: time.sleep(1000)
    os._exit(0)
os.read(done, 1)`,
    status: 'succeeded',
    exitCode: 0,
  },
  {
    name: 'closes its streams and stays',
    code: 'import os, time\nos.close(0); os.close(1); os.close(2)\ntime.sleep(1000)',
    status: 'timed_out',
    exitCode: null,
  },
  {
    name: 'closes its streams and ends',
    code: 'import os\nos.close(1); os.close(2)\nos._exit(5)',
    status: 'failed',
    exitCode: 5,
  },
  {
    name: 'fills memory',
    code: bomb,
    request: { limits: { memory_mb: 128 }, timeout_seconds: 20 },
    status: 'out_of_memory',
    exitCode: null, // see hostile.test.ts
  },
  {
    name: 'fills memory in a child',
    code: `import os, subprocess, sys
child = subprocess.run([sys.executable, '-c', ${JSON.stringify(bomb)}])
os._exit(1 if child.returncode else 0)`,
    request: { limits: { memory_mb: 128 }, timeout_seconds: 20 },
    // Without a cgroup nobody but the child itself knows that it was memory that it lacked: it says so, and exits.
    status: { local: 'failed', kubernetes: 'out_of_memory' },
    exitCode: null,
  },
  {
    name: 'fills the disk',
    code: `for n in range(100_000):
    with open(f'/workspace/{n}', 'wb') as file: file.write(bytes(1 << 20))`,
    request: { timeout_seconds: 20 },
    status: 'failed',
    exitCode: 1,
    stderr: /OSError: \[Errno 28\] No space left on device/,
  },
  {
    name: 'fills the disk with one file',
    code: `with open('/tmp/big', 'wb') as file:
    while True: file.write(bytes(1 << 20))`,
    request: { timeout_seconds: 20 },
    status: 'failed',
    exitCode: 1,
    stderr: /OSError: \[Errno (28|27)\] (No space left on device|File too large)/,
  },
];
