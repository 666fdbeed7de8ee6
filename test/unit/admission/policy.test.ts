import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clampLimits } from '../../../src/admission/policy.ts';

const policy = {
  defaultTimeoutSeconds: 30,
  maxTimeoutSeconds: 300,
  defaultCpu: 1,
  maxCpu: 2,
  defaultMemoryMb: 512,
  maxMemoryMb: 2048,
};

describe('clampLimits', () => {
  it('gives the defaults where nothing is asked', () => {
    assert.deepEqual(clampLimits({ limits: {} }, policy), {
      limits: { seconds: 30, cpu: 1, memory_mb: 512 },
      hints: [],
    });
  });

  it('gives what is asked, up to the maxima', () => {
    for (const [seconds, cpu, memory_mb] of [
      [0.1, 0.05, 32],
      [300, 2, 2048],
    ] as const) {
      assert.deepEqual(clampLimits({ timeout_seconds: seconds, limits: { cpu, memory_mb } }, policy), {
        limits: { seconds, cpu, memory_mb },
        hints: [],
      });
    }
  });

  it('lowers what is more, and says so', () => {
    assert.deepEqual(clampLimits({ timeout_seconds: 301, limits: { cpu: 2.5, memory_mb: 4096 } }, policy), {
      limits: { seconds: 300, cpu: 2, memory_mb: 2048 },
      hints: [
        'timeout_seconds was lowered from 301 to 300 s, the most that this server allows.',
        'limits.cpu was lowered from 2.5 to 2, the most that this server allows.',
        'limits.memory_mb was lowered from 4096 to 2048 MiB, the most that this server allows.',
      ],
    });
  });
});
