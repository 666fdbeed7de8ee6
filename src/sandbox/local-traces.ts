import { ServiceError } from '../result/errors.ts';
import { builds, type Claim, type Trace } from '../schedule/backend.ts';

/** Ended runs that can still be asked for. */
const keptTraces = 32;

interface KeptTrace extends Trace {
  caller: string;
}

/** The records of runs on a machine without a cluster. */
export function localTraces(retentionSeconds: number) {
  const traces = new Map<string, KeptTrace>();
  const going = new Set<string>();

  return {
    /** A run has begun. Throws ServiceError where its id is that of another caller's run; an id of a build is nobody else's. */
    begin({ executionId, caller, limits }: Claim): KeptTrace {
      const before = traces.get(executionId);
      if (before && before.caller !== caller && caller !== builds)
        throw new ServiceError('invalid_request', `There is an execution ${executionId} already.`);
      const trace: KeptTrace = { executionId, caller, limits, frames: [], lost: undefined };
      traces.set(executionId, trace);
      going.add(executionId);
      return trace;
    },
    end(trace: KeptTrace): void {
      going.delete(trace.executionId);
      traces.set(trace.executionId, trace);
      const [oldest] = [...traces.keys()].filter((id) => !going.has(id));
      if (traces.size > keptTraces && oldest !== undefined) traces.delete(oldest);
      if (retentionSeconds === 0) traces.delete(trace.executionId);
    },
    find(executionId: string, caller: string): Trace | undefined {
      const found = traces.get(executionId);
      return found && isTheirs(found.caller, caller) ? found : undefined;
    },
  };
}

/** A caller's own; anybody's but a build where the caller is empty. */
export function isTheirs(owner: string, caller: string): boolean {
  return caller === '' ? owner !== builds : owner === caller;
}
