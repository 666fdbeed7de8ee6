import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { createSessionMetrics } from '../../../src/observe/session-metrics.ts';

describe('metrics of sessions', () => {
  it('count those that are open, and those that ended, by why', async () => {
    const register = new Registry();
    const metrics = createSessionMetrics(register);
    let open = 2;
    metrics.watchSessions(() => open);
    metrics.sessionEnded('idle');
    open = 3;
    const lines = (await register.metrics()).split('\n');
    for (const line of [
      'vivarium_sessions 3',
      'vivarium_sessions_ended_total{reason="idle"} 1',
      'vivarium_sessions_ended_total{reason="sandbox_lost"} 0',
    ]) {
      assert.ok(lines.includes(line), line);
    }
  });
});
