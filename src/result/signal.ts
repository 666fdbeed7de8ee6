import { constants } from 'node:os';

const numbers: Record<string, number> = { ...constants.signals, SIGRTMIN: 34, SIGRTMAX: 64 };

/** The number of a signal, such as 11 of "SIGSEGV". What has another name is taken for SIGKILL: 0 would say that all went well. */
export function signalNumber(name: string): number {
  const [, offset] = /^SIGRTMIN\+(-?\d+)$/.exec(name) ?? [];
  if (offset !== undefined) return 34 + Number(offset);
  return (Object.hasOwn(numbers, name) ? numbers[name] : undefined) ?? constants.signals.SIGKILL;
}
