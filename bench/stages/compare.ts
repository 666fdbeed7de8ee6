import type { Arm } from '../arms/arm.ts';
import type { Round } from '../plan.ts';
import type { ArmSample } from '../samples.ts';
import { shuffled } from '../stats.ts';
import { faultOf, workloads } from '../workloads.ts';
import { say } from '../log.ts';
import { messageOf, settle, type Bench } from './bench.ts';

const longestSeconds = 120;

/** All arms over all workloads, in blocks: what disturbs the machine for a while disturbs every arm. */
export async function compare(bench: Bench): Promise<void> {
  const { plan, random } = bench;
  const blocks = plan.rounds.flatMap((round) =>
    Array.from({ length: round.blocks }, (_, index) => ({ round, index })),
  );
  let block = 0;
  for (const { round, index } of shuffled(blocks, random)) {
    block += 1;
    const arms = shuffled(round.arms, random).flatMap((name) => bench.arms.get(name) ?? []);
    const took: string[] = [];
    for (const arm of arms) {
      await settle(bench);
      const sample = await take(arm, round, block, bench.signal);
      bench.samples.arms.push(sample);
      took.push(`${arm.name} ${sample.fault ?? `${(sample.seconds * 1000).toFixed(0)} ms`}`);
    }
    say(
      `block ${block} of ${blocks.length}, ${round.name} ${round.workload} ${index + 1}: ${took.join(', ')}`,
    );
  }
}

async function take(arm: Arm, round: Round, block: number, signal: AbortSignal): Promise<ArmSample> {
  const workload = workloads[round.workload];
  const about = { round: round.name, block, arm: arm.name, workload: round.workload };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(longestSeconds * 1000)]);
  try {
    const { seconds, marks, ...received } = await arm.run(workload, limit);
    const fault = faultOf(workload, received);
    return { ...about, seconds, marks, ...(fault !== undefined && { fault }) };
  } catch (error) {
    signal.throwIfAborted();
    return { ...about, seconds: 0, marks: {}, fault: messageOf(error) };
  }
}
