import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeApi, refused, run, vivarium } from './harness.ts';
import type { FakePod } from './fake-api/pod.ts';
import { exited, started, type Script } from './fake-api/scripts.ts';
import { until } from './until.ts';
import type { ExecutionResult } from '../../src/result/execution-result.ts';

/** Starts, writes, and then ends as the test says, without `exit`. */
function loses(end: (pod: FakePod) => void): Script {
  return async (pod) => {
    await started(pod);
    pod.say({ type: 'stdout', text: 'so far\n' });
    end(pod);
  };
}

interface Lost {
  what: string;
  end: (pod: FakePod) => void;
  status: ExecutionResult['status'];
  message: RegExp;
}

const losses: Lost[] = [
  {
    what: 'the kernel ended for lack of memory',
    end: (pod) => {
      pod.end({ exitCode: 137, reason: 'OOMKilled' });
    },
    status: 'out_of_memory',
    message: /^The code used more memory than its limit of 512 MiB\./,
  },
  {
    what: 'the kubelet evicted',
    end: (pod) => {
      pod.end(
        { exitCode: 137, reason: 'Error' },
        { reason: 'Evicted', message: 'Usage of EmptyDir volume "scratch" exceeds the limit "256Mi".' },
      );
    },
    status: 'evicted',
    message: /^The node evicted the sandbox: Usage of EmptyDir volume "scratch" exceeds/,
  },
  {
    what: 'somebody deleted',
    end: (pod) => {
      pod.delete();
    },
    status: 'cancelled',
    message: /^The run was cancelled: its Job was deleted\.$/,
  },
  {
    what: 'passed its deadline',
    end: (pod) => {
      pod.end({ exitCode: 137, reason: 'Error' }, { reason: 'DeadlineExceeded' });
    },
    status: 'timed_out',
    message: /limit of 30 s/,
  },
  {
    what: 'went with its node',
    end: (pod) => {
      const condition = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' };
      pod.end({ exitCode: 137, reason: 'ContainerStatusUnknown' }, { conditions: [condition] });
    },
    status: 'node_lost',
    message: /^The node of the sandbox was lost\.$/,
  },
  {
    what: 'ended with last words',
    end: (pod) => {
      pod.write(Buffer.from('Fatal Python error: no memory\n'));
      pod.end({ exitCode: 1, reason: 'Error' });
    },
    status: 'unknown',
    message:
      /^The sandbox ended with code 1 and did not say why\. Its last words: Fatal Python error: no memory$/,
  },
];

describe('a sandbox that', () => {
  for (const { what, end, status, message } of losses) {
    it(`${what}: ${status}, with what it had written`, async (t) => {
      const api = await fakeApi(t);
      const server = await vivarium(api);
      api.script = loses(end);
      const result = await run(server, { code: 'a' });
      assert.equal(result.status, status, result.message);
      assert.match(result.message, message);
      assert.equal(result.stdout, 'so far\n');
      assert.equal(result.exit_code, null);
      assert.equal(result.truncated, false);
      await until(() => api.jobs.length === 0);
    });
  }

  it('does not start: the reason at once, and no Job left', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api, { unschedulableSeconds: 0.2 });
    const noImage: Script = (pod) => {
      pod.wait('ErrImagePull', 'no such host');
    };
    const noNode: Script = (pod) => {
      const message =
        '0/1 nodes are available: 1 Insufficient memory. Preemption is not helpful for scheduling.';
      const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
      pod.status({ phase: 'Pending', conditions: [condition] }, '');
    };
    const noStart: Script = (pod) => {
      pod.end({ exitCode: 128, reason: 'StartError' });
    };
    for (const [script, code] of [
      [noImage, 'image_pull_failed'],
      [noNode, 'unschedulable'],
      [noStart, 'sandbox_failed'],
    ] as const) {
      api.script = script;
      const began = performance.now();
      const { body } = await refused(server, { code: 'a' });
      assert.equal(body.error.code, code);
      assert.ok(performance.now() - began < 10_000);
      assert.deepEqual(api.jobs, []);
    }
  });

  it('may not be made: the quota, by the event of its Job', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    await until(() => api.watches.count('events') === 2);
    api.noPods = 'Error creating: pods "run-x" is forbidden: exceeded quota: sandboxes, limited: pods=0';
    const began = performance.now();
    const { status, body } = await refused(server, { code: 'a' });
    assert.equal(body.error.code, 'quota_exceeded');
    assert.match(body.error.message, /exceeded quota: sandboxes/);
    assert.equal(status, 503);
    assert.ok(performance.now() - began < 10_000);
    assert.deepEqual(api.jobs, []);
  });

  it('is silent until its time to start has gone by', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api, { startTimeoutSeconds: 2 });
    api.script = () => undefined;
    const { status, body } = await refused(server, { code: 'a' });
    assert.equal(body.error.code, 'start_timeout');
    assert.equal(status, 504);
    assert.deepEqual(api.jobs, []);
  });
});

describe('an attach that', () => {
  const text = 'line one\nline two ä\n';

  /** Writes a run's frames, and does `act` after as many sixteenths of them as the code says. */
  function writes(act: (pod: FakePod) => void): Script {
    return async (pod) => {
      pod.start();
      const { execution_id, code } = await pod.asked;
      const bytes = Buffer.concat([
        pod.line({ type: 'started', execution_id }),
        pod.line({ type: 'stdout', text }),
        pod.line({ type: 'stderr', text: 'x' }),
        pod.line({ ...exited(Buffer.byteLength(text)), stderr_bytes: 1 }),
      ]);
      const at = Math.floor((bytes.length * Number(code)) / 16);
      pod.write(bytes.subarray(0, at));
      act(pod);
      pod.write(bytes.subarray(at));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
  }

  const detach = (pod: FakePod) => {
    pod.detach();
  };
  const garble = (pod: FakePod) => {
    pod.garble();
  };
  for (const [what, act] of [
    ['is cut', detach],
    ['sends what is no WebSocket frame', garble],
  ] as const) {
    it(`${what} anywhere is completed by the log, exactly`, async (t) => {
      const api = await fakeApi(t);
      const server = await vivarium(api, { concurrency: 16 });
      api.script = writes(act);
      await Promise.all(
        Array.from({ length: 16 }, async (_, cut) => {
          const result = await run(server, { code: String(cut) });
          assert.equal(result.status, 'succeeded', `${cut}/16: ${result.message}`);
          assert.deepEqual([result.stdout, result.stderr, result.truncated], [text, 'x', false], `${cut}/16`);
        }),
      );
    });
  }

  it('is cut, and then the log too: the log is read again', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    api.script = async (pod) => {
      await started(pod);
      pod.say({ type: 'stdout', text: 'one\n' });
      pod.detach();
      await until(() => api.requests.some((request) => request.endsWith('/log')));
      pod.say({ type: 'stdout', text: 'two\n' });
      pod.cutLog();
      pod.say({ type: 'stdout', text: 'three\n' });
      pod.say(exited(14));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    const result = await run(server, { code: 'a' });
    assert.equal(result.status, 'succeeded', result.message);
    assert.equal(result.stdout, 'one\ntwo\nthree\n');
  });

  it('comes late: what it missed is in the log', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    api.script = async (pod) => {
      pod.start();
      const { execution_id } = await pod.asked;
      pod.write(pod.line({ type: 'started', execution_id }), { attach: false });
      pod.say({ type: 'stdout', text: 'a' }, { attach: false });
      pod.say({ type: 'stdout', text: 'b' });
      pod.say(exited(2));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    assert.equal((await run(server, { code: 'a' })).stdout, 'ab');
  });

  it('lacks a frame that the log lacks too: the result says so', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    api.script = async (pod) => {
      await started(pod);
      pod.say({ type: 'stdout', text: 'a' });
      pod.line({ type: 'stdout', text: 'lost' });
      pod.say({ type: 'stdout', text: 'b' });
      pod.say(exited(6));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    const result = await run(server, { code: 'a' });
    assert.equal(result.status, 'succeeded');
    assert.equal(result.stdout, 'ab');
    assert.equal(result.truncated, true);
    assert.equal(result.stdout_bytes, 6);
    assert.ok(result.hints.includes('1 pieces of output were lost between the sandbox and the server.'));
  });
});
