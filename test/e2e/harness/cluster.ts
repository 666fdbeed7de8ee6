import {
  BatchV1Api,
  type Configuration,
  CoreV1Api,
  createConfiguration,
  KubeConfig,
  type RequestContext,
  ServerConfiguration,
  type V1Job,
  type V1Pod,
} from '@kubernetes/client-node';
import { isIPv4 } from 'node:net';
import { command, output, type CommandOptions } from './command.ts';
import { release } from './release.ts';
import { until } from './until.ts';

/** kubectl as the cluster's administrator. */
export function kubectl(args: string[], options?: CommandOptions): Promise<string> {
  return output('kubectl', args, options);
}

/** kubectl with an account of its own. */
export function kubectlAs(kubeconfig: string, args: string[], input = '') {
  return command('kubectl', ['--kubeconfig', kubeconfig, ...args], { input });
}

function administrator(): Configuration {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  const cluster = kubeConfig.getCurrentCluster();
  if (!cluster) throw new Error('The kubeconfig names no cluster.');
  let connections: ReturnType<RequestContext['getDispatcher']>;
  return createConfiguration({
    baseServer: new ServerConfiguration(cluster.server, {}),
    authMethods: {
      default: {
        getName: () => 'kubeconfig',
        async applySecurityAuthentication(context) {
          await kubeConfig.applySecurityAuthentication(context);
          // By itself each call makes a connection of its own.
          connections ??= context.getDispatcher();
          if (connections) context.setDispatcher(connections);
        },
      },
    },
  });
}

let apis: { batch: BatchV1Api; core: CoreV1Api } | undefined;

function api() {
  if (apis) return apis;
  const configuration = administrator();
  apis = { batch: new BatchV1Api(configuration), core: new CoreV1Api(configuration) };
  return apis;
}

export type Selector = Record<string, string>;

export const ofExecution = (id: string): Selector => ({ 'vivarium.dev/execution': id });
export const ofReplica = (name: string): Selector => ({ 'vivarium.dev/replica': name });

const query = (selector: Selector, namespace = release().sandboxes) => ({
  namespace,
  labelSelector: Object.entries(selector)
    .map(([name, value]) => `${name}=${value}`)
    .join(','),
});

/** The Jobs with these labels. */
export async function jobs(selector: Selector, namespace?: string): Promise<V1Job[]> {
  return (await api().batch.listNamespacedJob(query(selector, namespace))).items;
}

/** The pods with these labels. */
export async function pods(selector: Selector, namespace?: string): Promise<V1Pod[]> {
  return (await api().core.listNamespacedPod(query(selector, namespace))).items;
}

/** Waits until there is a Job with these labels, and a pod whose container runs. */
export function started(selector: Selector): Promise<V1Pod> {
  return until(
    `a pod with ${JSON.stringify(selector)} runs`,
    async () => (await pods(selector)).find((pod) => pod.status?.phase === 'Running'),
    60,
  );
}

/** Waits until there is neither a Job nor a pod with these labels. */
export async function gone(selector: Selector, seconds: number, namespace?: string): Promise<void> {
  await until(
    `no Job and no pod with ${JSON.stringify(selector)}`,
    async () => {
      const [left, running] = await Promise.all([jobs(selector, namespace), pods(selector, namespace)]);
      return left.length === 0 && running.length === 0;
    },
    seconds,
  );
}

/** Waits until every pod with these labels has ended: its PID namespace, and so every process in it, is no more. */
export async function ended(selector: Selector, seconds: number): Promise<void> {
  await until(
    `every pod with ${JSON.stringify(selector)} has ended`,
    async () => {
      const found = await pods(selector);
      return found.every(({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed');
    },
    seconds,
  );
}

/** Whether this is the cluster that test/cluster builds from source: its node is a part of this machine. */
export async function isBuiltFromSource(): Promise<boolean> {
  return (await kubectl(['get', 'nodes', '-o', 'name'])).trim() === 'node/vivarium';
}

/** How many packets NetworkPolicies have dropped; that cluster counts them. */
export async function droppedPackets(): Promise<number> {
  return Number(await output('test/cluster/dropped', []));
}

/** Address of this machine as pods see it, for servers of the tests that they are to reach. */
export async function machineAddress(): Promise<string> {
  if (await isBuiltFromSource()) return '10.117.0.1';
  const format = '{{range .IPAM.Config}}{{.Gateway}} {{end}}';
  const gateways = await output('docker', ['network', 'inspect', 'kind', '--format', format]);
  const address = gateways.split(/\s+/).find((found) => isIPv4(found));
  if (address === undefined) throw new Error(`kind's network has no gateway of IPv4: ${gateways}`);
  return address;
}
