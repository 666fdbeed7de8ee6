import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startIndex, type IndexOptions, type PackageIndex } from '../../index/server.ts';
import { kubectl, machineAddress } from './cluster.ts';
import { forget, install, remove } from './release.ts';
import type { BackendName, Settings } from './server.ts';
import { openUndo, type Undo } from './undo.ts';

/** A package index, and a place for environments that are made from it. */
export interface Place {
  index: PackageIndex;
  /** Of a server that uses them. */
  settings: Settings;
  /** Where the environments are, if that is on this machine. */
  folder: string;
  close(): Promise<void>;
}

/** On Kubernetes a release of its own, because a claim and who may reach the index belong to one. */
export async function environmentsPlace(
  backend: BackendName,
  name: string,
  options: Pick<IndexOptions, 'credentials' | 'tls'> = {},
): Promise<Place> {
  const undo = openUndo();
  try {
    const folder = await mkdtemp(join(tmpdir(), 'vivarium-e2e-'));
    undo.add(() => rm(folder, { recursive: true, force: true }));
    await chmod(folder, 0o755);
    const host = backend === 'local' ? '127.0.0.1' : await machineAddress();
    const index = await startIndex({ ...options, host });
    undo.add(() => index.close());
    const settings =
      backend === 'local'
        ? await localSettings(folder, index, options)
        : await releaseSettings(name, host, index, options, undo);
    return {
      index,
      settings: { ...settings, VIVARIUM_PACKAGE_INDEX: index.url },
      folder: join(folder, 'environments'),
      close: () => undo.run(),
    };
  } catch (error) {
    await undo.run().catch(() => undefined);
    throw error;
  }
}

function secretOf(index: PackageIndex, { credentials }: Pick<IndexOptions, 'credentials'>) {
  return {
    ...(credentials && { username: credentials.user, password: credentials.password }),
    ...(index.ca !== undefined && { 'ca.crt': index.ca }),
  };
}

async function localSettings(
  folder: string,
  index: PackageIndex,
  options: Pick<IndexOptions, 'credentials'>,
): Promise<Settings> {
  const secret = Object.entries(secretOf(index, options));
  for (const [name, value] of secret) await writeFile(join(folder, name), value);
  const settings: Settings = { VIVARIUM_ENVIRONMENTS_FOLDER: join(folder, 'environments') };
  if (secret.length > 0) settings.VIVARIUM_PACKAGE_INDEX_CREDENTIALS = folder;
  return settings;
}

async function releaseSettings(
  name: string,
  host: string,
  index: PackageIndex,
  options: Pick<IndexOptions, 'credentials'>,
  undo: Undo,
): Promise<Settings> {
  const port = Number(new URL(index.url).port);
  const secret = secretOf(index, options);
  undo.add(() => remove(name));
  const release = await install(name, {
    replicas: 0,
    'environments.enabled': true,
    'environments.size': '1Gi',
    // The cluster has one node, and kind's volumes know no other mode.
    'environments.accessModes': ['ReadWriteOnce'],
    'environments.index.secret': Object.keys(secret).length > 0 ? 'index' : '',
    'environments.index.egress': [
      { ports: [{ port, protocol: 'TCP' }], to: [{ ipBlock: { cidr: `${host}/32` } }] },
    ],
    'config.packageIndex': index.url,
  });
  undo.add(() => forget(release));
  const settings: Settings = {
    KUBECONFIG: release.kubeconfig,
    VIVARIUM_NAMESPACE: release.sandboxes,
    VIVARIUM_ENVIRONMENTS_CLAIM: await claimOf(release.sandboxes),
  };
  if (Object.keys(secret).length > 0) {
    const literals = Object.entries(secret).map(([key, value]) => `--from-literal=${key}=${value}`);
    await kubectl(['create', 'secret', 'generic', 'index', '-n', release.sandboxes, ...literals]);
    settings.VIVARIUM_PACKAGE_INDEX_CREDENTIALS = 'index';
  }
  return settings;
}

async function claimOf(namespace: string): Promise<string> {
  return kubectl(['get', 'pvc', '-n', namespace, '-o', 'jsonpath={.items[0].metadata.name}']);
}
