/**
 * Measures what files, artifacts, environments and sessions cost beside a run without them: bench/DATA.md, and its samples
 * in bench/data.json. `node bench/data.ts`, on the test cluster, which must be up.
 */
import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { environmentsPlace, type Place } from '../test/e2e/harness/environments.ts';
import { connect, type Caller } from '../test/e2e/harness/clients.ts';
import { metric, watchLargest } from '../test/e2e/harness/metrics.ts';
import { announce, remove } from '../test/e2e/harness/release.ts';
import { createSession } from '../test/e2e/harness/sessions.ts';
import { startServer, type Server } from '../test/e2e/harness/server.ts';
import { until } from '../test/e2e/harness/until.ts';
import { seededRandom } from '../test/unit/support/random.ts';
import type { ExecutionRequestInput } from '../src/request/execution.ts';
import type { ExecutionResult } from '../src/result/execution-result.ts';
import { renderData, type DataSamples } from './report/data.ts';
import { describeMachine } from './setting.ts';
import { shuffled } from './stats.ts';
import { say } from './log.ts';

const rounds = 40;
const large = { repeats: 3, megabytes: 100, inputMegabytes: 24 };
const MiB = 1_048_576;
const random = seededRandom(20_261_121);

/** Prints how long its import took by itself. */
const importing =
  'import time; began = time.perf_counter()\nimport polars\nprint(time.perf_counter() - began)';

type Arm = keyof DataSamples['rounds'][number];

/** A fresh interpreter is in a session of its own: it would end that of the other. */
const armsIn = (staying: string, fresh: string): Record<Arm, ExecutionRequestInput> => ({
  plain: { code: 'print(1)' },
  packages: { code: 'print(1)', requirements: ['polars==1.36.1'] },
  environment: { code: importing, requirements: ['polars==1.36.1'] },
  value: { code: 'print(1)\n[1, 2, 3]' },
  file: { code: 'print(1)', files: [{ path: 'a.csv', content: 'a,b\n1,2\n'.repeat(1000) }] },
  artifact: { code: 'print(1)\nopen("output/a.csv", "w").write("a,b" * 1000)' },
  session: { code: 'print(1)', session_id: staying },
  fresh: { code: 'print(1)', session_id: fresh, fresh_interpreter: true },
});

interface Timed {
  seconds: number;
  result: ExecutionResult;
}

async function timed(caller: Caller, request: ExecutionRequestInput): Promise<Timed> {
  const began = performance.now();
  const result = await caller.run(request);
  if (result.status !== 'succeeded') throw new Error(`${result.message} ${result.stderr}`);
  return { seconds: (performance.now() - began) / 1000, result };
}

/** Waits until the pool is full, as it is for a caller who comes now and then. */
async function rested({ probesUrl }: Server): Promise<void> {
  const name = 'vivarium_pool_sandboxes{pool="data",state="ready"}';
  await until('the pool is full', async () => (await metric(probesUrl, name)) >= 3, 60);
}

async function measure(place: Place, server: Server, caller: Caller): Promise<DataSamples> {
  const samples: DataSamples = {
    setting: await describeMachine(),
    builds: [],
    rounds: [],
    outputs: [],
    inputs: [],
  };
  for (const requirement of ['polars==1.36.1', 'orjson', 'networkx']) {
    const { result } = await timed(caller, { code: 'pass', requirements: [requirement] });
    samples.builds.push({ requirement, seconds: result.timings.environment ?? NaN });
    say(`${requirement}: built in ${(result.timings.environment ?? NaN).toFixed(1)} s`);
  }
  const limits = { cpu: 1, memory_mb: 256 };
  const [staying, fresh] = [await createSession(caller, { limits }), await createSession(caller, { limits })];
  const arms = armsIn(staying.id, fresh.id);
  for (let round = 0; round < rounds; round += 1) {
    const taken: Partial<DataSamples['rounds'][number]> = {};
    for (const arm of shuffled(Object.keys(arms) as Arm[], random)) {
      await rested(server);
      const { seconds, result } = await timed(caller, arms[arm]);
      taken[arm] = { seconds, imported: arm === 'environment' ? Number(result.stdout) : 0 };
    }
    samples.rounds.push(taken as DataSamples['rounds'][number]);
  }
  say(`${rounds} rounds of ${Object.keys(arms).length} arms`);
  for (let repeat = 0; repeat < large.repeats; repeat += 1) {
    await rested(server);
    const name = 'process_resident_memory_bytes';
    const before = await metric(server.probesUrl, name);
    const memory = watchLargest(server.probesUrl, name);
    const code = `with open('output/a.bin', 'wb') as file:\n    for _ in range(${large.megabytes}): file.write(bytes(${MiB}))`;
    const { seconds, result } = await timed(caller, { code, limits: { memory_mb: 512 } });
    const bytes = result.artifacts.reduce((sum, { size }) => sum + size, 0);
    // The time that the program took is not that of its file's way.
    const way =
      seconds - (result.timings.ran ?? 0) - (result.timings.scheduled ?? 0) - (result.timings.started ?? 0);
    samples.outputs.push({ bytes, seconds: way, grown: (await memory.stop()) - before });
    const content_base64 = Buffer.alloc(large.inputMegabytes * MiB).toString('base64');
    const sent = await timed(caller, { code: 'pass', files: [{ path: 'a.bin', content_base64 }] });
    samples.inputs.push({ bytes: large.inputMegabytes * MiB, seconds: sent.seconds });
    say(
      `${bytes} bytes out in ${way.toFixed(2)} s, ${large.inputMegabytes * MiB} in in ${sent.seconds.toFixed(2)} s`,
    );
  }
  return samples;
}

const name = 'vivarium-bench-data';
await remove(name); // what an interrupted run has left
const place = await environmentsPlace('kubernetes', name);
const { KUBECONFIG: kubeconfig = '', VIVARIUM_NAMESPACE: sandboxes = '' } = place.settings;
announce({ name, namespace: name, sandboxes, kubeconfig });
try {
  const server = await startServer('kubernetes', {
    ...place.settings,
    VIVARIUM_DEFAULT_CPU: '1',
    VIVARIUM_CPU_RESERVED: '0.05',
    VIVARIUM_DEFAULT_MEMORY_MB: '256',
    VIVARIUM_POOLS: JSON.stringify([{ name: 'data', min: 3, max: 3, preload: ['numpy', 'pandas'] }]),
  });
  let caller: Caller | undefined;
  try {
    caller = await connect('v2 modern', server.mcpUrl);
    const samples = await measure(place, server, caller);
    const write = (name: string, text: string) => {
      writeFileSync(new URL(name, import.meta.url), text);
    };
    write('data.json', `${JSON.stringify(samples, undefined, 1)}\n`);
    write('DATA.md', renderData(samples, seededRandom(1)));
  } finally {
    await caller?.close();
    await server.stop();
  }
} finally {
  await place.close();
}
