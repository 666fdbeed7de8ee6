import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Config } from '../../src/config.ts';
import { diagnose } from '../../src/sandbox/diagnose.ts';
import type { FakeApi } from './fake-api/server.ts';
import { startPiston } from '../piston/server.ts';
import { config, fakeApi, pool } from './harness.ts';

async function findings(api: FakeApi, changes: Partial<Config> = {}): Promise<string[]> {
  process.env.KUBECONFIG = api.kubeconfig;
  const found = await diagnose(config(changes), new AbortController().signal);
  return found.map(({ ok, what, mend }) => {
    const text = what.replace(/http:\S+/, 'URL');
    return ok ? `ok ${text}` : `bad ${text} -> ${mend ?? ''}`;
  });
}

describe('diagnose', () => {
  it('says what a cluster lacks, and the command that mends it', async (t) => {
    const api = await fakeApi(t);
    api.may = ({ resource, verb }) => !(resource === 'jobs' && verb === 'delete');
    assert.deepEqual(await findings(api), [
      'ok cluster: URL answers, v1.99.0',
      'ok namespace sandboxes',
      'bad namespace sandboxes: pod security is not enforced -> kubectl label namespace sandboxes pod-security.kubernetes.io/enforce=restricted --overwrite',
    ]);
    api.namespaceLabels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    const all = await findings(api);
    assert.deepEqual(all.slice(0, 4), [
      'ok cluster: URL answers, v1.99.0',
      'ok namespace sandboxes',
      'ok namespace sandboxes: pod security is restricted',
      'bad account: may not delete jobs.batch in sandboxes (a run or a session is a Job; a run in a waiting sandbox, and how a session fares, is written on its Job; cancelling a run deletes it) -> kubectl create role vivarium-delete -n sandboxes --verb=delete --resource=jobs.batch, and bind it; or make install',
    ]);
    assert.deepEqual(api.jobs, [], 'it makes no Job');
  });

  it('offers the cluster a sandbox of every pool', async (t) => {
    const api = await fakeApi(t);
    api.namespaceLabels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    const refused = { status: 403, message: 'admission denied the request' };
    const found = await findings(api, { pools: [pool({ name: 'one' }), pool({ name: 'two' })] });
    const jobs = found.filter((finding) => finding.includes('the Job of'));
    assert.deepEqual(jobs, [
      'ok job: the cluster takes the Job of a sandbox',
      'ok job: the cluster takes the Job of a sandbox of pool one',
      'ok job: the cluster takes the Job of a sandbox of pool two',
    ]);
    api.faults.order('POST', /\/jobs$/, refused, 2);
    const bad = (await findings(api, { pools: [pool({ name: 'one' })] })).slice(-2);
    assert.deepEqual(bad, [
      'bad job: the cluster refuses a sandbox: admission denied the request -> make install',
      'bad job: the cluster refuses a sandbox of pool one: admission denied the request -> make install',
    ]);
    assert.deepEqual(api.jobs, [], 'it makes no Job');
  });

  it('says what the Piston has that is set, or that it does not answer', async (t) => {
    const piston = await startPiston();
    const about = async () => {
      const changes = { backend: 'local', pistonUrl: piston.url } as const;
      return (await diagnose(config(changes), new AbortController().signal)).at(-1);
    };
    t.after(() => piston.close());
    assert.deepEqual(await about(), { ok: true, what: `Piston: ${piston.url} has bash, c, c++, python` });
    await piston.close();
    assert.deepEqual(await about(), {
      ok: false,
      what: `Piston: ${piston.url}: Piston cannot be reached, or broke off (ECONNREFUSED).`,
      mend: 'correct VIVARIUM_PISTON_URL, or start Piston',
    });
  });

  it('says whether there are environments where sandboxes are local', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'vivarium-test-'));
    const { PATH = '' } = process.env;
    t.after(() => {
      process.env.PATH = PATH;
      rmSync(folder, { recursive: true });
    });
    chmodSync(folder, 0o755);
    const local = async (environmentsFolder: string) =>
      (await diagnose(config({ backend: 'local', environmentsFolder }), new AbortController().signal)).at(-1);
    process.env.PATH = folder;
    const { ok, what } = (await local('/dev/null/environments')) ?? {};
    assert.ok(ok);
    assert.match(
      what ?? '',
      /: no environments: uv is not on the PATH .*; \/dev\/null\/environments cannot be made/,
    );
    writeFileSync(join(folder, 'uv'), '\x7fELF');
    assert.deepEqual(await local(join(folder, 'environments')), {
      ok: true,
      what: `local sandbox: environments in ${folder}/environments, built by ${folder}/uv`,
    });
  });

  it('says that there is no namespace', async (t) => {
    const api = await fakeApi(t);
    api.hasNamespace = false;
    assert.deepEqual(await findings(api), [
      'ok cluster: URL answers, v1.99.0',
      'bad namespace sandboxes: namespaces "sandboxes" not found -> make install',
    ]);
  });

  it('says that the API server does not answer', async (t) => {
    const api = await fakeApi(t);
    api.faults.order('GET', /version/, 'reset');
    const [only, ...others] = await findings(api);
    assert.deepEqual(others, []);
    assert.match(only ?? '', /^bad cluster: The API server URL does not answer: .* -> make cluster/);
  });
});
