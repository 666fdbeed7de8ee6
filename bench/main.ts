/** Measures Vivarium beside what one would use instead. `make bench`, or `node bench/main.ts --quick` for a first look. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { settings as known } from '../src/settings.ts';
import { seededRandom } from '../test/unit/support/random.ts';
import { clientNodeArm } from './arms/client-node.ts';
import { execArm } from './arms/exec.ts';
import { openForkArm } from './arms/fork.ts';
import { kubectlArm } from './arms/kubectl.ts';
import { localArm } from './arms/local.ts';
import { restArm } from './arms/rest.ts';
import { vivariumArm } from './arms/vivarium.ts';
import { warmPod, withCluster, type Cluster } from './bed/cluster.ts';
import { cacheFolder, localPython } from './bed/python.ts';
import { pools, settings, startVivarium, stopVivarium, type Vivarium } from './bed/servers.ts';
import { full, quick } from './plan.ts';
import { writeReport } from './report.ts';
import { writeSamples, type Samples } from './samples.ts';
import { describeMachine } from './setting.ts';
import { messageOf, type Bench } from './stages/bench.ts';
import { ceilingAndRefill } from './stages/ceiling.ts';
import { compare } from './stages/compare.ts';
import { bursts, closedLoops, openLoops, sustained } from './stages/loads.ts';
import { outputRate } from './stages/output.ts';
import { apiWrites, deliveries } from './stages/writes.ts';
import { say } from './log.ts';

const isQuick = process.argv.includes('--quick');
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);
const plan = isQuick ? quick : full;
const seed = 20_260_728;
const image = known.shape.image.parse(undefined);

const stages: Record<string, (bench: Bench) => Promise<void>> = {
  // First those that bring both sides up to speed, as a server is that runs for a while.
  ceilingAndRefill,
  closedLoops,
  compare,
  openLoops,
  bursts,
  outputRate,
  deliveries,
  apiWrites,
  sustained,
};

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupt.abort(new Error(`Interrupted by ${signal}.`));
  });
}

/** Carries out every stage; one that fails is told in the report, and keeps no other from its turn. */
async function measure(bench: Bench): Promise<void> {
  for (const [name, stage] of Object.entries(stages)) {
    if (only !== undefined && !only.split(',').includes(name)) continue;
    say(`==> ${name}`);
    try {
      await stage(bench);
    } catch (error) {
      bench.signal.throwIfAborted();
      const message = [messageOf(error), ...lastWords(bench)].join(' ');
      say(`${name} failed: ${message}`);
      bench.samples.faults.push({ stage: name, message });
    }
  }
}

/** What servers said that have ended. */
function lastWords({ warm, cold }: Bench): string[] {
  return [warm, cold]
    .filter(({ server }) => server.hasEnded())
    .map(({ server }) => `A server has ended: ${JSON.stringify(server.log.slice(-5))}`);
}

async function onCluster(cluster: Cluster, samples: Samples): Promise<void> {
  const { signal } = interrupt;
  const python = await localPython();
  samples.setting.versions = {
    kubernetes: cluster.version,
    node: process.versions.node,
    python: python.versions,
  };
  const opened: (() => Promise<void>)[] = [];
  const start = async (its: typeof pools): Promise<Vivarium> => {
    const vivarium = await startVivarium(its);
    opened.push(() => stopVivarium(vivarium));
    return vivarium;
  };
  try {
    const cold = await start([]);
    const warm = await start(pools);
    const fork = await openForkArm(python.path);
    opened.push(() => fork.close());
    const { release, kubeConfig } = cluster;
    const arms = [
      vivariumArm('warm', warm.caller),
      restArm(warm.server.url),
      vivariumArm('cold', cold.caller),
      kubectlArm(release.namespace, image),
      clientNodeArm(kubeConfig, release.namespace, image),
      execArm(kubeConfig, release.namespace, warmPod, 'main'),
      localArm(python.path),
      fork,
    ];
    await measure({
      plan,
      cluster,
      arms: new Map(arms.map((arm) => [arm.name, arm])),
      warm,
      cold,
      image,
      random: seededRandom(seed),
      samples,
      signal,
    });
  } finally {
    for (const close of opened.reverse()) await close();
  }
}

const began = performance.now();
const samples: Samples = {
  setting: {
    ...(await describeMachine()),
    seed,
    quick: isQuick,
    seconds: 0,
    versions: { kubernetes: '', node: '', python: '' },
    pools,
    server: settings,
  },
  arms: [],
  loads: [],
  ceiling: [],
  fills: [],
  outputs: [],
  deliveries: [],
  apiWrites: [],
  faults: [],
};
await withCluster({ ...settings, pools }, image, (cluster) => onCluster(cluster, samples));
samples.setting.seconds = (performance.now() - began) / 1000;

// A first look never takes the place of a report.
const folder = isQuick ? join(cacheFolder, 'bench-quick') : import.meta.dirname;
mkdirSync(folder, { recursive: true });
writeSamples(join(folder, 'samples.json'), samples);
say(`report: ${writeReport(folder)}`);
if (samples.faults.length > 0) process.exitCode = 1;
