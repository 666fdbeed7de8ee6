import { createQueue } from '../../../src/admission/queue.ts';
import { createLog, type Logger } from '../../../src/observe/log.ts';
import { createMetrics } from '../../../src/observe/metrics.ts';
import type { SessionRuns } from '../../../src/schedule/turn.ts';
import { createSandboxes } from '../../../src/schedule/sandboxes.ts';
import { createService } from '../../../src/schedule/service.ts';
import type { FakeBackend } from './fake-backend.ts';
import { noEvents } from './pool-events.ts';
import { config } from './settings.ts';
import { passedBy } from './stages.ts';

/** A service whose sandboxes a test plays. What it warns of is in `warnings`. */
export function serviceOn(
  backend: FakeBackend,
  concurrency = 8,
  sessions: SessionRuns = passedBy.sessions,
  warnings: object[] = [],
) {
  const policy = config({ concurrency });
  const queue = createQueue(policy);
  const metrics = createMetrics(queue);
  const sandboxes = createSandboxes(backend, policy, noEvents);
  const artifactsOf = () => Promise.resolve([]);
  const stages = {
    policy,
    queues: [queue],
    queueFor: () => queue,
    sandboxes,
    backend,
    artifactsOf,
    ...passedBy,
    sessions,
  };
  const warn = (about: object) => void warnings.push(about);
  const log: Logger = Object.assign(createLog('silent'), { warn });
  return { queue, metrics, service: createService(stages, { metrics, log }) };
}
