import type { Samples } from '../samples.ts';
import { median, sum, type Interval } from '../stats.ts';
import { digits, interval, milliseconds } from './format.ts';
import { memoryOf, refill } from './rates.ts';
import { answer, byBlock, firstLine, jobEnd, isOurs, ratio, stampedLine, type Timing } from './timings.ts';
import { coldLimit, refillLimit, warmLimit } from './limits.ts';
import { jobWrites, ownWrites } from './writes.ts';

export interface Target {
  what: string;
  target: string;
  measured: string;
  /** Undefined where it was not measured. */
  met: boolean | undefined;
  /** Where the time goes; the report tells it of a target that is not met. */
  limit?: string;
}

const notMeasured = (what: string, target: string): Target => ({
  what,
  target,
  measured: '–',
  met: undefined,
});

/** The targets, and what became of them. */
export function targets(samples: Samples, random: () => number): Target[] {
  const printed = (above: Timing, below: Timing) => ratio(samples, above, below, 'print', random);
  const plainJobs = [
    { timing: jobEnd, what: 'kubectl Job to its completion' },
    { timing: answer.kubectl, what: 'kubectl Job to its exit code' },
    { timing: answer['client-node'], what: 'client-node Job to its exit code' },
  ];
  return [
    ...plainJobs.map(({ timing, what }) => ({
      ...atMost(`Warm / ${what}, print`, 1 / 100, printed(answer.warm, timing)),
      limit: warmLimit(samples, 'print'),
    })),
    nearFork(samples),
    {
      ...atLeast(
        'Local `python3 -c` / warm, pandas',
        10,
        ratio(samples, answer.local, answer.warm, 'pandas', random),
      ),
      limit: warmLimit(samples, 'pandas'),
    },
    ...(['kubectl', 'client-node'] as const).map((arm) => {
      const received = printed(answer.cold, firstLine(arm));
      const stamped = printed(answer.cold, stampedLine(arm));
      const target = atMost(`Pool off / ${arm} Job to its first line, print`, 1.15, received);
      if (!stamped) return target;
      const measured = `${target.measured}; by the node’s stamp ${interval(stamped)}`;
      return { ...target, measured, limit: coldLimit(samples) };
    }),
    refillTarget(samples),
    failures(samples),
    outputTarget(samples),
    memoryTarget(samples),
    beforeDelivery(samples),
    writesTarget(samples),
  ];
}

function atMost(what: string, limit: number, measured: Interval | undefined): Target {
  const target = `≤ ${limit}`;
  if (!measured) return notMeasured(what, target);
  return { what, target, measured: interval(measured), met: measured.median <= limit };
}

function atLeast(what: string, limit: number, measured: Interval | undefined): Target {
  const target = `≥ ${limit}`;
  if (!measured) return notMeasured(what, target);
  return { what, target, measured: interval(measured), met: measured.median >= limit };
}

function nearFork(samples: Samples): Target {
  const p50 = (timing: Timing) => median([...byBlock(samples, timing, 'print').values()]);
  const warm = p50(answer.warm);
  const limit = 4 * p50(answer.fork) + 0.008;
  const what = 'Warm p50, print';
  const target = '≤ 4 × local warm fork + 8 ms';
  if (Number.isNaN(warm) || Number.isNaN(limit)) return notMeasured(what, target);
  return {
    what,
    target,
    measured: `${milliseconds(warm)} ms of ${milliseconds(limit)} ms`,
    met: warm <= limit,
    limit: warmLimit(samples, 'print'),
  };
}

function refillTarget(samples: Samples): Target {
  const what = 'Refill / pod-start ceiling, both with imports';
  const found = refill(samples);
  if (!found) return notMeasured(what, '≥ 0.9');
  const part = median(found.parts);
  return {
    what,
    target: '≥ 0.9',
    measured: `${digits(part)} (${found.parts.map(digits).join(', ')}): ${digits(found.rate)} of ${digits(found.ceiling)} a second`,
    met: part >= 0.9,
    limit: refillLimit(samples, found),
  };
}

function failures({ loads, arms }: Samples): Target {
  const runs = sum(loads.map((load) => load.runs.length));
  const failed = sum(loads.map(({ faults }) => faults.length));
  const ours = arms.filter(({ arm }) => isOurs(arm));
  const failedArms = ours.filter(({ fault }) => fault !== undefined).length;
  return {
    what: 'Failed runs, in all loads and arms of Vivarium',
    target: '0',
    measured: `${failed} of ${runs}, and ${failedArms} of ${ours.length}`,
    met: runs === 0 ? undefined : failed + failedArms === 0,
  };
}

function outputTarget(samples: Samples): Target {
  const { outputs } = samples;
  const what = 'Output into the client, from the request to all of it';
  const good = outputs.filter(({ fault }) => fault === undefined);
  if (good.length === 0)
    return { ...notMeasured(what, '≥ 20 MB/s'), met: outputs.length ? false : undefined };
  const rate = median(good.map(({ bytes, seconds }) => bytes / 1e6 / seconds));
  const running = median(good.map(({ bytes, seconds, started }) => bytes / 1e6 / (seconds - started)));
  return {
    what,
    target: '≥ 20 MB/s',
    measured: `${digits(rate)} MB/s; ${digits(running)} MB/s from the code’s start; ${good.length} of ${outputs.length} exact`,
    met: rate >= 20 && good.length === outputs.length,
    limit: `with 1 MB, ${warmLimit(samples, 'output')}`,
  };
}

/** Memory is flat where the line through it rises by less than this part over the time. */
const flat = 0.05;

function memoryTarget({ loads }: Samples): Target {
  const what = 'Server memory over the sustained run';
  const target = `< ${flat * 100} % growth`;
  const load = loads.find(({ name }) => name === 'sustained');
  const memory = load && memoryOf(load);
  if (!memory) return notMeasured(what, target);
  const { mean, growth, minutes } = memory;
  const megabytes = (bytes: number) => `${digits(bytes / 1e6)} MB`;
  return {
    what,
    target,
    measured: `${digits((growth / mean) * 100)} %: ${megabytes(growth)} over ${digits(minutes)} minutes, on ${megabytes(mean)}`,
    met: growth < flat * mean,
  };
}

function beforeDelivery({ deliveries }: Samples): Target {
  const what = 'The server’s API writes before the code starts, warm';
  if (deliveries.length === 0) return notMeasured(what, '0');
  const counts = deliveries.map(({ writes }) => writes);
  const failed = deliveries.filter(({ fault }) => fault !== undefined).length;
  return {
    what,
    target: '0',
    measured: `${sum(counts)} in ${counts.length} runs${failed > 0 ? `, ${failed} failed` : ''}`,
    met: sum(counts) === 0 && failed === 0,
  };
}

function writesTarget({ apiWrites }: Samples): Target {
  const what = 'The server’s API writes a run';
  const writes = apiWrites[0];
  if (!writes) return notMeasured(what, '≤ 3');
  const own = sum(ownWrites(writes).map(([, count]) => count));
  return {
    what,
    target: '≤ 3',
    measured: `${digits(own)}; the API server counts ${digits(jobWrites(writes))} to Jobs, by whomever`,
    met: own <= 3,
  };
}
