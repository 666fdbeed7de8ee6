import { cpus } from 'node:os';

/** The part of this machine's processors that was busy since this call; it is all there is to start pods with. */
export function busyShare(): () => number {
  const before = ticks();
  return () => {
    const after = ticks();
    return 1 - (after.idle - before.idle) / (after.all - before.all);
  };
}

function ticks(): { idle: number; all: number } {
  const times = cpus().map((cpu) => cpu.times);
  const idle = times.reduce((total, each) => total + each.idle, 0);
  const all = times.reduce(
    (total, { user, nice, sys, idle: rest, irq }) => total + user + nice + sys + rest + irq,
    0,
  );
  return { idle, all };
}
