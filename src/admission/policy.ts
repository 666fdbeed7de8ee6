import type { ExecutionRequest } from '../request/execution.ts';

/** The operator's defaults and maxima. */
export interface Policy {
  defaultTimeoutSeconds: number;
  maxTimeoutSeconds: number;
  defaultCpu: number;
  maxCpu: number;
  defaultMemoryMb: number;
  maxMemoryMb: number;
}

/** What the run gets: what it asked for, lowered to the maxima. Each lowering is a hint in the result. */
export function clampLimits(request: Pick<ExecutionRequest, 'timeout_seconds' | 'limits'>, policy: Policy) {
  const hints: string[] = [];
  const clamp = (name: string, asked: number, max: number, unit: string): number => {
    if (asked <= max) return asked;
    hints.push(`${name} was lowered from ${asked} to ${max}${unit}, the most that this server allows.`);
    return max;
  };
  return {
    limits: {
      seconds: clamp(
        'timeout_seconds',
        request.timeout_seconds ?? policy.defaultTimeoutSeconds,
        policy.maxTimeoutSeconds,
        ' s',
      ),
      cpu: clamp('limits.cpu', request.limits.cpu ?? policy.defaultCpu, policy.maxCpu, ''),
      memory_mb: clamp(
        'limits.memory_mb',
        request.limits.memory_mb ?? policy.defaultMemoryMb,
        policy.maxMemoryMb,
        ' MiB',
      ),
    },
    hints,
  };
}
