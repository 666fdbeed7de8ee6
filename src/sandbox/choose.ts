import type { Config } from '../config.ts';
import { ServiceError } from '../result/errors.ts';
import type { Backend } from '../schedule/backend.ts';
import { ApiError, createClient, UnreachableError, type ApiObserver } from './client.ts';
import { loadKubeConfig } from './kubeconfig.ts';
import { createKubernetesBackend, type KubernetesEvents } from './kubernetes.ts';
import { createLocalBackend } from './local.ts';

export interface BackendEvents extends KubernetesEvents {
  apiCall: ApiObserver;
}

/** The configured backend; for `auto`, the cluster of the current kube context if it is one for Vivarium. */
export async function chooseBackend(
  config: Config,
  events: BackendEvents,
  signal: AbortSignal,
): Promise<{ backend: Backend; why: string }> {
  if (config.backend === 'local') {
    return { backend: createLocalBackend(config), why: 'local sandbox, as configured' };
  }
  if (config.backend === 'kubernetes') {
    const backend = await connect(config, events, signal);
    return { backend, why: `namespace ${config.namespace}, as configured` };
  }
  const obstacle = await whyNoCluster(config.namespace, signal);
  if (obstacle === undefined) {
    return {
      backend: await connect(config, events, signal),
      why: `the current kube context answers and has namespace ${config.namespace} (VIVARIUM_BACKEND=local for the local sandbox)`,
    };
  }
  return {
    backend: createLocalBackend(config),
    why: `local sandbox, because ${obstacle} (for Kubernetes: make cluster images install, or VIVARIUM_BACKEND=kubernetes to see why not)`,
  };
}

async function connect(config: Config, events: BackendEvents, signal: AbortSignal): Promise<Backend> {
  const kubeConfig = await loadKubeConfig();
  if (!kubeConfig) throw new ServiceError('cluster_unreachable', 'There is no kube context: set KUBECONFIG.');
  const client = await createClient(kubeConfig, events.apiCall);
  try {
    return await createKubernetesBackend(config, client, events, signal);
  } catch (error) {
    await client.close();
    if (error instanceof UnreachableError) {
      throw new ServiceError('cluster_unreachable', error.message, { cause: error });
    }
    if (error instanceof ApiError) {
      const what = error.status === 404 ? `has no namespace ${config.namespace}` : 'refuses this account';
      throw new ServiceError('forbidden', `The cluster ${what}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** What keeps the current kube context from being used; undefined if nothing does. */
async function whyNoCluster(namespace: string, signal: AbortSignal): Promise<string | undefined> {
  const kubeConfig = await loadKubeConfig();
  if (!kubeConfig) return 'there is no kube context';
  const client = await createClient(kubeConfig, () => undefined);
  try {
    await client.json(`/api/v1/namespaces/${namespace}`, { signal, timeoutSeconds: 3 });
    return undefined;
  } catch (error) {
    if (error instanceof UnreachableError) return `the cluster of the current kube context does not answer`;
    if (!(error instanceof ApiError)) throw error;
    return `the current kube context has no namespace ${namespace} that this account can see`;
  } finally {
    await client.close();
  }
}
