import { kubectl } from './cluster.ts';
import { release } from './release.ts';

/** A namespace without any policy, to compare with: what is out of a sandbox's reach can be reached from here. */
export interface OpenNamespace {
  /** Address of a pod that answers on port 8080. */
  address: string;
  /** Runs Python in that pod. */
  python(code: string): Promise<string>;
  remove(): Promise<void>;
}

export async function openNamespace(image: string): Promise<OpenNamespace> {
  const name = `${release().name}-open`;
  const remove = () =>
    kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait', '--timeout', '60s'], {
      seconds: 90,
    });
  await remove();
  try {
    await kubectl(['create', 'namespace', name]);
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'open', namespace: name },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          { name: 'open', image, command: ['python3', '-m', 'http.server', '8080', '--directory', '/opt'] },
        ],
      },
    };
    const seconds = { seconds: 60 };
    // The account comes with the namespace, a little later.
    await kubectl(['wait', '--for=create', 'serviceaccount/default', '-n', name, '--timeout=30s'], seconds);
    await kubectl(['create', '-f', '-'], { input: JSON.stringify(pod) });
    await kubectl(['wait', '--for=condition=Ready', 'pod/open', '-n', name, '--timeout=45s'], seconds);
    const address = await kubectl(['get', 'pod', 'open', '-n', name, '-o', 'jsonpath={.status.podIP}']);
    return {
      address,
      python: (code) => kubectl(['exec', 'open', '-n', name, '--', 'python3', '-c', code]),
      remove: async () => {
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
