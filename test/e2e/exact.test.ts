/** What a program writes and how it ends comes back exact: the same cases, through MCP, on both backends. */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { endings, exactCases } from './cases/exact.ts';
import { useServer } from './harness/fixture.ts';
import { backends } from './harness/server.ts';

/** What the image promises beside Python itself. */
const libraries = 'numpy pandas matplotlib.pyplot scipy.stats sklearn sympy PIL requests openpyxl bs4 yaml';

/**
 * One sandbox runs one program, so 256 exit codes are 256 sandboxes. The agent that reports them is the same file on
 * both backends: the local one takes all, the cluster one of each kind (0, small, shells' own, signal-like, largest).
 */
const codes = {
  local: Array.from({ length: 256 }, (_, code) => code),
  kubernetes: [0, 1, 2, 3, 100, 126, 127, 128, 137, 143, 255],
};

/** Signals that do not end a process by default, and those that stop it instead. */
const harmless = ['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH', 'SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'];
const fatal = Object.keys(constants.signals).filter((name) => !harmless.includes(name));
/** Other names of a signal that has one already. */
const aliases: Record<string, string> = { SIGIOT: 'SIGABRT', SIGPOLL: 'SIGIO', SIGUNUSED: 'SIGSYS' };
const signals = {
  local: fatal.filter((name) => !(name in aliases)),
  kubernetes: ['SIGHUP', 'SIGKILL', 'SIGSEGV', 'SIGABRT', 'SIGFPE', 'SIGTERM', 'SIGXCPU'],
};

for (const backend of backends) {
  describe(`exact results: ${backend}`, { concurrency: 6 }, () => {
    // All of a test's runs are asked for at one time.
    const vivarium = useServer(backend, { VIVARIUM_QUEUE_LENGTH: '400' });

    for (const { name, request, check } of exactCases) {
      it(name, async () => {
        const result = await vivarium.run(request);
        assert.match(result.execution_id, /^[a-z2-7]{26}$/);
        check(result);
      });
    }

    it(`${codes[backend].length} exit codes`, async () => {
      const results = await Promise.all(
        codes[backend].map((code) => vivarium.run({ code: `import os; os._exit(${code})` })),
      );
      assert.deepEqual(
        results.map(({ status, exit_code, signal }) => ({ status, exit_code, signal })),
        codes[backend].map((code) => endings.exited(code)),
      );
    });

    it(`${signals[backend].length} fatal signals by name`, async () => {
      const results = await Promise.all(
        signals[backend].map((name) =>
          vivarium.run({
            code: `import os, signal
if '${name}' != 'SIGKILL': signal.signal(signal.${name}, signal.SIG_DFL)
print('before', end='')
os.kill(os.getpid(), signal.${name})`,
          }),
        ),
      );
      assert.deepEqual(
        results.map(({ status, exit_code, signal, stdout }) => ({ status, exit_code, signal, stdout })),
        signals[backend].map((name) => ({ ...endings.signalled(name), stdout: 'before' })),
      );
    });
  });
}

describe('the libraries of the sandbox image', () => {
  const vivarium = useServer('kubernetes');

  it('are all there, and work together', async () => {
    const { stdout, stderr } = await vivarium.run({
      code: `import importlib
for name in ${JSON.stringify(libraries)}.split(): importlib.import_module(name)
import matplotlib.pyplot as plt, numpy as np, pandas as pd
frame = pd.DataFrame({'x': np.arange(5), 'y': np.arange(5) ** 2})
plt.plot(frame.x, frame.y)
plt.savefig('/workspace/plot.png')
with open('/workspace/plot.png', 'rb') as file: print(int(frame.y.sum()), file.read(8))`,
      limits: { cpu: 1 },
      timeout_seconds: 60,
    });
    assert.deepEqual([stdout, stderr], ["30 b'\\x89PNG\\r\\n\\x1a\\n'\n", '']);
  });
});
