/** The chart's Piston: installed by a Job, reached by the server and by nobody else, reaching nobody. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { settings } from '../../src/settings.ts';
import { kubectl, pods } from './harness/cluster.ts';
import { output } from './harness/command.ts';
import { openNamespace, type OpenNamespace } from './harness/open-pods.ts';
import { forget, install, remove, setting, type Release, type Values } from './harness/release.ts';
import { until } from './harness/until.ts';

const name = 'vivarium-e2e-other';
const namespace = `${name}-piston`;
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const hello = { language: 'hello', version: '1.2.3' };
const values: Values = {
  'config.pools': [],
  'config.dialects': ['piston:2001'],
  'config.defaultCpu': 0.25,
  'resources.requests.cpu': '50m',
  'piston.enabled': true,
  'piston.namespace': namespace,
  // A stand-in, which behaves as Piston does: its index holds three packages that are made up.
  'piston.image': { repository: 'vivarium-piston', tag: version, digest: '' },
  'piston.languages': [hello],
  'piston.resources.requests': { cpu: '50m', memory: '64Mi' },
};
const ofPiston = { 'app.kubernetes.io/component': 'piston' };
const ofInstall = { 'app.kubernetes.io/component': 'piston-install' };

/** What the server answers to a request of its own pod's. */
async function execute(request: object): Promise<Record<string, unknown>> {
  const ask = `const answer = await fetch('http://127.0.0.1:8000/v1/executions', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: process.argv[1] });
  console.log(await answer.text());`;
  const node = ['node', '--input-type=module', '--eval', ask, JSON.stringify(request)];
  const text = await kubectl(['exec', `deployment/${name}`, '-n', name, '--', ...node]);
  return JSON.parse(text) as Record<string, unknown>;
}

/** Which of these addresses the one container of a Deployment connects to. */
async function reached(deployment: string[], targets: [string, number][]): Promise<[string, number][]> {
  const probe = `import { connect } from 'node:net';
  const reached = (host, port) => new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const end = (is) => { socket.destroy(); resolve(is); };
    socket.once('connect', () => end(true)).once('timeout', () => end(false)).once('error', () => end(false));
  });
  const all = JSON.parse(process.argv[1]);
  const found = await Promise.all(all.map(([host, port]) => reached(host, port)));
  console.log(JSON.stringify(all.filter((_, at) => found[at])));`;
  const node = ['node', '--input-type=module', '--eval', probe, JSON.stringify(targets)];
  return JSON.parse(await kubectl(['exec', ...deployment, '--', ...node])) as [string, number][];
}

describe("the chart's Piston", () => {
  let made: Release | undefined;
  let open: OpenNamespace | undefined;

  before(async () => {
    await output('images/build', ['piston'], { seconds: 160 });
  });
  before(async () => {
    await remove(name);
    made = await install(name, values);
    open = await openNamespace(settings.parse({}).image);
  });
  after(async () => {
    await open?.remove();
    if (made) await forget(made);
    await remove(name);
    await kubectl(['wait', '--for=delete', `namespace/${namespace}`, '--timeout=60s'], { seconds: 70 });
  });

  it('has exactly the packages that are listed, before it serves', async () => {
    const wait = ['rollout', 'status', 'deployment/piston', '-n', namespace, '--timeout=90s'];
    await kubectl(wait, { seconds: 100 });
    // Piston starts at the installer's last act, which is before the kubelet has seen its end.
    const installed = await until(
      'the installer has succeeded',
      async () => (await pods(ofInstall, namespace)).find(({ status }) => status?.phase === 'Succeeded'),
      30,
    );
    const log = await kubectl(['logs', installed.metadata?.name ?? '', '-n', namespace]);
    assert.equal(log, 'removing python 3.10.0\ninstalling hello 1.2.3\ninstalled: hello 1.2.3\n');
  });

  it('runs what the server asks of it', async () => {
    await kubectl(['rollout', 'status', `deployment/${name}`, '-n', name, '--timeout=60s'], { seconds: 70 });
    let answer: Record<string, unknown> = {};
    await until(
      'the Service leads to Piston',
      async () => {
        answer = await execute({ language: 'bash', code: 'echo $((6 * 7)); exit 3' });
        return (answer.error as { code?: string } | undefined)?.code !== 'piston_unavailable';
      },
      30,
    );
    const { status, stdout, exit_code } = answer;
    assert.deepEqual([status, stdout, exit_code], ['failed', '42\n', 3], JSON.stringify(answer));
  });

  it('is offered to clients of Piston, on a port of the Service', async () => {
    assert.ok(open);
    const runtimes = await open.python(`import json, urllib.request
with urllib.request.urlopen('http://${name}.${name}:2001/api/v2/runtimes') as answer: print(*{each['language'] for each in json.load(answer)})`);
    assert.ok(
      ['python', 'bash'].every((language) => runtimes.split(/\s/).includes(language)),
      runtimes,
    );
  });

  it('is reached by nobody else, and reaches nobody', async () => {
    assert.ok(open);
    const [piston] = await pods(ofPiston, namespace);
    const service = await kubectl([
      'get',
      'service',
      'piston',
      '-n',
      namespace,
      '-o',
      'jsonpath={.spec.clusterIP}',
    ]);
    const api = await kubectl(['get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}']);
    const inside: [string, number][] = [
      [service, 2000],
      [piston?.status?.podIP ?? '', 2000],
    ];
    const outside: [string, number][] = [
      [api, 443],
      [open.address, 8080],
    ];
    // What follows would prove nothing if these were out of reach for everybody.
    const server = [`deployment/${name}`, '-n', name];
    assert.deepEqual(await reached(server, [...inside, ...outside]), [...inside, ...outside]);

    const byOpen = await open.python(`import socket
for target in ${JSON.stringify(inside)}:
    try: socket.create_connection(tuple(target), timeout=2); print('reached', target)
    except OSError: print('not reached')`);
    assert.equal(byOpen, 'not reached\nnot reached\n');
    assert.deepEqual(await reached(['deployment/piston', '-c', 'piston', '-n', namespace], outside), []);
  });

  it('says why a package cannot be installed', async () => {
    const list = [hello, { language: 'broken', version: '1.0.0' }];
    const changed = setting(name, { ...values, 'piston.languages': list });
    await output('helm', ['upgrade', name, 'helm/vivarium', '-n', name, ...changed], { seconds: 60 });
    const message = await until(
      'an installer has failed',
      async () => {
        const found = (await pods(ofInstall, namespace)).find(({ status }) => status?.phase === 'Failed');
        return found?.status?.containerStatuses?.[0]?.state?.terminated?.message;
      },
      90,
    );
    assert.match(message, /piston\.languages: broken 1\.0\.0: .*Checksum miss-match/);
  });
});
