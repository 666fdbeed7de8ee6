import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { output, command } from './command.ts';

/** The chart in the cluster, as the tests find it. */
export interface Release {
  name: string;
  namespace: string;
  /** Where its sandboxes run. */
  sandboxes: string;
  /** Credentials of the server's own account. */
  kubeconfig: string;
}

export type Values = Record<string, unknown>;

const variable = 'E2E_RELEASE';

/** The release of this run; harness/setup.ts makes it before the first test. */
export function release(): Release {
  const text = process.env[variable];
  if (text === undefined) throw new Error('There is no release: run these tests with `npm run e2e`.');
  return JSON.parse(text) as Release;
}

export function announce(made: Release): void {
  process.env[variable] = JSON.stringify(made);
}

/** helm's arguments for values, by their paths. */
export function setting(name: string, values: Values): string[] {
  const all = { 'sandbox.namespace': `${name}-sandboxes`, ...values };
  return Object.entries(all).flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`]);
}

/** Installs the chart. */
export async function install(name: string, values: Values): Promise<Release> {
  const sandboxes = `${name}-sandboxes`;
  const set = setting(name, values);
  await output('helm', ['install', name, 'helm/vivarium', '-n', name, '--create-namespace', ...set], {
    seconds: 120,
  });
  // Until then the API server takes no pod there.
  const wait = ['wait', '-n', sandboxes, '--timeout=30s'];
  await output('kubectl', [...wait, '--for=create', 'serviceaccount/default']);
  await output('kubectl', [...wait, '--for=jsonpath={.status.hard.pods}', 'resourcequota', '--all']);
  const kubeconfig = await credentials(name, name);
  return { name, namespace: name, sandboxes, kubeconfig };
}

/** Removes a release and all that came with it; one that is not there is no error. */
export async function remove(name: string): Promise<void> {
  await command('helm', ['uninstall', name, '-n', name, '--ignore-not-found']);
  const namespaces = ['delete', 'namespace', name, `${name}-sandboxes`, '--ignore-not-found'];
  await output('kubectl', [...namespaces, '--wait', '--timeout', '130s'], { seconds: 140 });
}

/** What runs that were killed have left: releases, and namespaces without one. */
export async function removeLeftovers(): Promise<void> {
  const names = await output('kubectl', ['get', 'namespaces', '-o', 'jsonpath={.items[*].metadata.name}']);
  const left = names.split(' ').filter((found) => /^vivarium-(e2e|policy)(-|$)/.test(found));
  await Promise.all(left.filter((found) => !found.endsWith('-sandboxes')).map(remove));
}

/** A kubeconfig for an account, with a token that the API server made for it. */
async function credentials(namespace: string, account: string): Promise<string> {
  const token = await output('kubectl', ['create', 'token', account, '-n', namespace, '--duration', '2h']);
  const admin = await output('kubectl', ['config', 'view', '--raw', '--minify', '-o', 'json']);
  const config = JSON.parse(admin) as { users: [{ user: object }] };
  config.users[0].user = { token: token.trim() };
  const folder = await mkdtemp(join(tmpdir(), 'vivarium-e2e-'));
  await chmod(folder, 0o755); // local sandboxes, which are other users, find their environments in there
  const path = join(folder, 'kubeconfig');
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

export async function forget(made: Release): Promise<void> {
  await rm(join(made.kubeconfig, '..'), { recursive: true, force: true });
}
