import type { KubeConfig, RequestContext } from '@kubernetes/client-node';
import type { RequestOptions } from 'node:https';
import { Agent, type Dispatcher } from 'undici';
import { ServiceError } from '../result/errors.ts';

/** What the library takes for granted where it finds nothing. */
const fallbackServer = 'http://localhost:8080';

/**
 * Credentials as kubectl finds them: KUBECONFIG, ~/.kube/config, or the pod's service account. Undefined where there are
 * none. Throws ServiceError where they cannot be read.
 */
export async function loadKubeConfig(): Promise<KubeConfig | undefined> {
  // Half of what a start takes; a server that is told to use local sandboxes does without.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const kubeConfig = new KubeConfig();
  try {
    kubeConfig.loadFromDefault();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ServiceError('cluster_unreachable', `The kubeconfig cannot be read: ${why}`, { cause: error });
  }
  const cluster = kubeConfig.getCurrentCluster();
  return cluster === null || cluster.server === fallbackServer ? undefined : kubeConfig;
}

/** The kubeconfig's own choice of dispatcher (certificates, proxy), made once: made anew, each call is a handshake. */
export async function makeDispatcher(kubeConfig: KubeConfig): Promise<Dispatcher> {
  let dispatcher: Dispatcher | undefined;
  const context = {
    setHeaderParam: () => undefined,
    setDispatcher: (made: Dispatcher) => (dispatcher = made),
  };
  await kubeConfig.applySecurityAuthentication(context as unknown as RequestContext);
  return dispatcher ?? new Agent();
}

/** Asked for at each call: tokens are short-lived, and the kubeconfig renews them. */
export async function authHeaders(kubeConfig: KubeConfig): Promise<Record<string, string>> {
  const options: RequestOptions = {};
  await kubeConfig.applyToHTTPSOptions(options);
  const headers = (options.headers ?? {}) as Record<string, string>;
  if (!options.auth) return headers;
  return { ...headers, authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` };
}
