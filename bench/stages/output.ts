import { resultOf } from '../../test/e2e/harness/clients.ts';
import { stopwatch } from '../arms/arm.ts';
import type { OutputSample } from '../samples.ts';
import { printing } from '../workloads.ts';
import { say } from '../log.ts';
import { messageOf, settle, type Bench } from './bench.ts';

/** How fast much output comes to the client. */
export async function outputRate(bench: Bench): Promise<void> {
  const { bytes, repeats } = bench.plan.outputs;
  const { code, stdout } = printing(bytes);
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    await settle(bench);
    const sample: OutputSample = { bytes, started: 0, seconds: 0 };
    bench.samples.outputs.push(sample);
    try {
      const clock = stopwatch();
      const onProgress = (message: string) => {
        if (message === 'running') sample.started = clock();
      };
      const signal = AbortSignal.any([bench.signal, AbortSignal.timeout(60_000)]);
      const answer = await bench.warm.caller.call({ code }, { signal, onProgress });
      sample.seconds = clock();
      const result = resultOf(answer);
      if (result.stdout !== stdout)
        sample.fault = `${result.stdout.length} of ${stdout.length} characters came`;
    } catch (error) {
      bench.signal.throwIfAborted();
      sample.fault = messageOf(error);
    }
    const rate = bytes / 1e6 / (sample.seconds - sample.started);
    say(
      `${bytes} bytes: ${sample.fault ?? `${sample.seconds.toFixed(2)} s, ${rate.toFixed(1)} MB/s once it ran`}`,
    );
  }
}
