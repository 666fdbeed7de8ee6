import { Counter, type Registry } from 'prom-client';
import type { ExecutionResult } from '../result/execution-result.ts';

/** The metrics of what runs leave behind and what becomes of it. */
export function createArtifactMetrics(register: Registry) {
  const registers = [register];
  const artifacts = new Counter({
    name: 'vivarium_artifacts_total',
    help: 'Files that runs left behind: kept, failed (the store did not take it), left_out.',
    labelNames: ['outcome'] as const,
    registers,
  });
  for (const outcome of ['kept', 'failed', 'left_out']) artifacts.inc({ outcome }, 0);
  const bytes = new Counter({
    name: 'vivarium_artifact_bytes_total',
    help: 'Bytes of artifacts that were kept.',
    registers,
  });
  const removed = new Counter({
    name: 'vivarium_artifacts_removed_total',
    help: 'Artifacts that were removed, by why: age, size (the store was full), unfinished (their upload never ended).',
    labelNames: ['reason'] as const,
    registers,
  });

  return {
    left({ artifacts: all, left_out }: ExecutionResult): void {
      const kept = all.filter(({ error }) => error === null);
      artifacts.inc({ outcome: 'kept' }, kept.length);
      artifacts.inc({ outcome: 'failed' }, all.length - kept.length);
      artifacts.inc({ outcome: 'left_out' }, left_out.total);
      bytes.inc(kept.reduce((sum, { size }) => sum + size, 0));
    },
    removed(reason: 'age' | 'size' | 'unfinished', count: number): void {
      removed.inc({ reason }, count);
    },
  };
}
