import type { V1Job, V1Namespace, V1NetworkPolicy } from '@kubernetes/client-node';
import { randomUUID } from 'node:crypto';
import { type Config, surroundings } from '../config.ts';
import { newExecutionId } from '../request/execution-id.ts';
import type { SandboxSpec } from '../schedule/backend.ts';
import { kindOfPool } from '../schedule/kind.ts';
import { missingPermissions } from './access.ts';
import { missingPrograms, programs } from './bubblewrap.ts';
import { ApiError, createClient, UnreachableError, type Client } from './client.ts';
import { diagnosePiston } from './diagnose-piston.ts';
import { makeJob } from './job.ts';
import { loadKubeConfig } from './kubeconfig.ts';
import { environmentsFolder, findUv } from './local-builder.ts';
import { environmentRecords } from './names.ts';
import { permissionsFor } from './permissions.ts';

/** One thing that was looked at. */
export interface Finding {
  ok: boolean;
  what: string;
  /** The command that mends it. */
  mend?: string;
}

const install = 'make install';

/** What this machine, the cluster of the current kube context and the account in it allow. */
export async function diagnose(config: Config, signal: AbortSignal): Promise<Finding[]> {
  const local = config.backend === 'kubernetes' ? [] : diagnoseLocal(config);
  const cluster = config.backend === 'local' ? [] : await diagnoseCluster(config, signal);
  return [...local, ...cluster, ...(await diagnosePiston(config, signal))];
}

function diagnoseLocal(config: Config): Finding[] {
  const missing: readonly string[] = missingPrograms().map(({ path }) => path);
  const sandbox = programs.map((program) => ({
    ok: !missing.includes(program.path),
    what: `local sandbox: ${program.path}`,
    mend: `apt-get install -y ${program.package}`,
  }));
  return [...sandbox, diagnoseLocalEnvironments(config.environmentsFolder)];
}

/** Well in any case: a server without environments has all else. */
function diagnoseLocalEnvironments(folder: string): Finding {
  const uv = findUv(surroundings().searchPath);
  const isRoot = process.getuid?.() === 0;
  const lacks = [
    uv === undefined && 'uv is not on the PATH (pip install uv)',
    environmentsFolder(folder, isRoot) === undefined &&
      `${folder} cannot be made${isRoot ? ', or not all folders above it let others pass (chmod o+x)' : ''}; VIVARIUM_ENVIRONMENTS_FOLDER names another`,
  ].filter((lack) => lack !== false);
  const found = `environments in ${folder}, built by ${uv ?? 'nothing'}`;
  return {
    ok: true,
    what: `local sandbox: ${lacks.length === 0 ? found : `no environments: ${lacks.join('; ')}`}`,
  };
}

async function diagnoseCluster(config: Config, signal: AbortSignal): Promise<Finding[]> {
  const kubeConfig = await loadKubeConfig();
  if (!kubeConfig) {
    return [
      { ok: false, what: 'cluster: there is no kube context', mend: 'make cluster, then export KUBECONFIG' },
    ];
  }
  const client = await createClient(kubeConfig, () => undefined);
  try {
    const { gitVersion } = await client.json<{ gitVersion: string }>('/version', { signal });
    const answers = { ok: true, what: `cluster: ${client.server} answers, ${gitVersion}` };
    const namespace = await diagnoseNamespace(client, config.namespace, signal);
    if (namespace.some(({ ok }) => !ok)) return [answers, ...namespace];
    return [
      answers,
      ...namespace,
      ...(await diagnosePermissions(client, config, signal)),
      await diagnoseIsolation(client, config.namespace, signal),
      ...(await diagnoseJobs(client, config, signal)),
    ];
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    return [{ ok: false, what: `cluster: ${error.message}`, mend: 'make cluster, then export KUBECONFIG' }];
  } finally {
    await client.close();
  }
}

async function diagnoseNamespace(client: Client, name: string, signal: AbortSignal): Promise<Finding[]> {
  const found = await lookAt(client.json<V1Namespace>(`/api/v1/namespaces/${name}`, { signal }));
  if (!('value' in found)) {
    // The server's own account may not read namespaces: that says nothing about whether there is one.
    if (found.status === 403)
      return [{ ok: true, what: `namespace ${name}: this account may not look at it` }];
    return [{ ok: false, what: `namespace ${name}: ${found.why}`, mend: install }];
  }
  const level = found.value.metadata?.labels?.['pod-security.kubernetes.io/enforce'];
  return [
    { ok: true, what: `namespace ${name}` },
    {
      ok: level === 'restricted',
      what: `namespace ${name}: pod security is ${level ?? 'not enforced'}`,
      mend: `kubectl label namespace ${name} pod-security.kubernetes.io/enforce=restricted --overwrite`,
    },
  ];
}

async function diagnosePermissions(client: Client, config: Config, signal: AbortSignal): Promise<Finding[]> {
  const { namespace } = config;
  const rules = permissionsFor(config);
  const missing = await missingPermissions(client, rules, namespace, signal);
  if (missing.length === 0) return [{ ok: true, what: `account: all ${rules.length} rules in ${namespace}` }];
  return missing.map(({ verb, resource, name, why }) => ({
    ok: false,
    what: `account: may not ${verb} ${resource}${name === undefined ? '' : ` ${name}`} in ${namespace} (${why})`,
    mend: `kubectl create role vivarium-${verb} -n ${namespace} --verb=${verb} --resource=${resource}${name === undefined ? '' : ` --resource-name=${name}`}, and bind it; or ${install}`,
  }));
}

async function diagnoseIsolation(client: Client, namespace: string, signal: AbortSignal): Promise<Finding> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
  const found = await lookAt(client.json<{ items: V1NetworkPolicy[] }>(path, { signal }));
  if (!('value' in found)) return { ok: true, what: 'network: this account may not look at NetworkPolicies' };
  const isDenied = found.value.items.some(
    ({ spec }) =>
      Object.keys(spec?.podSelector ?? {}).length === 0 &&
      ['Ingress', 'Egress'].every((type) => spec?.policyTypes?.includes(type)) &&
      (spec?.ingress ?? []).length === 0 &&
      (spec?.egress ?? []).length === 0,
  );
  return { ok: isDenied, what: 'network: sandboxes are denied all of it by a NetworkPolicy', mend: install };
}

/** Offers the cluster a sandbox's Job of each kind without making it: admission says what it thinks of it. */
async function diagnoseJobs(client: Client, config: Config, signal: AbortSignal): Promise<Finding[]> {
  const { image, runtimeClass } = config;
  const common = { image, runtimeClass, cpu: config.defaultCpu, memory_mb: config.defaultMemoryMb };
  const { buildMemoryMb: memory_mb, environmentsClaim } = config;
  const builder = { image, runtimeClass, cpu: Math.min(1, config.maxCpu), memory_mb };
  const found = await Promise.all([
    diagnoseJob(client, config, 'a sandbox', { kind: common, pool: undefined, build: false }, signal),
    ...config.pools.map((pool) =>
      diagnoseJob(
        client,
        config,
        `a sandbox of pool ${pool.name}`,
        { kind: kindOfPool(pool), pool: pool.name, build: false },
        signal,
      ),
    ),
    ...(environmentsClaim === ''
      ? []
      : [
          diagnoseJob(client, config, 'a build', { kind: builder, pool: undefined, build: true }, signal),
          diagnoseRecords(client, config.namespace, signal),
        ]),
  ]);
  return found.flat();
}

async function diagnoseJob(
  client: Client,
  config: Config,
  what: string,
  sandbox: Pick<SandboxSpec, 'kind' | 'pool' | 'build'>,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { kind } = sandbox;
  const id = newExecutionId();
  const limits = { seconds: config.defaultTimeoutSeconds, cpu: kind.cpu, memory_mb: kind.memory_mb };
  const body = makeJob(config, {
    ...sandbox,
    id,
    claim: { executionId: id, caller: '', requestKey: undefined, limits },
    lifeSeconds: limits.seconds,
    owner: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      name: 'vivarium-doctor',
      uid: randomUUID(),
    },
  });
  const path = `/apis/batch/v1/namespaces/${config.namespace}/jobs`;
  const found = await lookAt(
    client.json<V1Job>(path, { method: 'POST', body, query: { dryRun: 'All' }, signal }),
  );
  if (!('value' in found))
    return [{ ok: false, what: `job: the cluster refuses ${what}: ${found.why}`, mend: install }];
  // An API server that does not know the field drops it without a word.
  const isKept = found.value.spec?.template.spec?.hostUsers === !config.userNamespaces;
  return [
    { ok: true, what: `job: the cluster takes the Job of ${what}` },
    {
      ok: isKept,
      what: `job: user namespaces are ${config.userNamespaces ? 'asked for' : 'off'}, and the API server ${isKept ? 'knows them' : 'ignores that'}`,
      mend: 'VIVARIUM_USER_NAMESPACES=false, or a Kubernetes version that has them',
    },
  ];
}

async function diagnoseRecords(client: Client, namespace: string, signal: AbortSignal): Promise<Finding[]> {
  const path = `/api/v1/namespaces/${namespace}/configmaps/${environmentRecords}`;
  const found = await lookAt(client.json(path, { signal }));
  const why = 'value' in found ? '' : `: ${found.why}`;
  return [
    {
      ok: why === '',
      what: `environments: their records, ConfigMap ${environmentRecords}${why}`,
      mend: `kubectl create configmap ${environmentRecords} -n ${namespace}`,
    },
  ];
}

async function lookAt<T>(answer: Promise<T>): Promise<{ value: T } | { status: number; why: string }> {
  try {
    return { value: await answer };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { status: error.status, why: error.message };
  }
}
