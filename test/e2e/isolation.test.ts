/** A sandbox has no credentials, no names and no way to anybody. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { settings } from '../../src/settings.ts';
import { droppedPackets, isBuiltFromSource, kubectl, ofExecution, pods, started } from './harness/cluster.ts';
import { useServer } from './harness/fixture.ts';
import { openNamespace, type OpenNamespace } from './harness/open-pods.ts';
import { streamRun } from './harness/rest.ts';
import { backends } from './harness/server.ts';

/** Python that tries to connect to each of them at one time, and prints what was reached. */
function probe(targets: [string, number][]): string {
  return `import concurrent.futures, socket, time
def reached(target):
    for _ in range(5):
        try:
            with socket.create_connection(target, timeout=2): return target
        except ConnectionRefusedError: time.sleep(0.3)
        except OSError: return None
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    print(sorted(filter(None, pool.map(reached, ${JSON.stringify(targets)}))))`;
}

const credentials = `import os
looked = []
for top in ('/var/run', '/run', '/root', '/home', '/etc/kubernetes'):
    for folder, folders, files in os.walk(top):
        looked += [os.path.join(folder, name) for name in files if 'token' in name or 'secret' in folder or 'kube' in name]
print(looked, [name for name in os.environ if name.startswith(('KUBE', 'AWS_', 'VIVARIUM')) or 'TOKEN' in name])`;

for (const backend of backends) {
  describe(`isolation: ${backend}`, { concurrency: 2 }, () => {
    const vivarium = useServer(backend);

    it('there are no credentials', async () => {
      const { stdout, stderr } = await vivarium.run({ code: credentials });
      assert.deepEqual([stdout, stderr], ['[] []\n', '']);
    });

    it('no name resolves', async () => {
      const { stdout, stderr } = await vivarium.run({
        code: `import socket
for name in ('kubernetes.default.svc.cluster.local', 'kubernetes.default', 'example.com', 'metadata.google.internal'):
    try: print(socket.getaddrinfo(name, 443))
    except OSError as error: print(type(error).__name__)`,
      });
      assert.deepEqual([stdout, stderr], ['gaierror\n'.repeat(4), '']);
    });

    it('the one interface is its own loopback, or leads nowhere', async () => {
      const { stdout } = await vivarium.run({
        code: `import socket
with socket.create_server(('127.0.0.1', 0)) as server:
    with socket.create_connection(server.getsockname()) as client: print('loopback')
# Some kernels give every network namespace tunnels, which are down.
print(*sorted(name for _, name in socket.if_nameindex() if name in ('lo', 'eth0') or open(f'/sys/class/net/{name}/operstate').read() == 'up\\n'))`,
      });
      assert.equal(stdout, `loopback\n${backend === 'local' ? 'lo' : 'eth0 lo'}\n`);
    });
  });
}

describe('isolation: no way out of the local sandbox', () => {
  const vivarium = useServer('local');

  it('not to the machine that it runs on, nor to the metadata address', async () => {
    const listener = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0');
    await once(listener, 'listening');
    try {
      const address = listener.address();
      assert.ok(address !== null && typeof address === 'object');
      const result = await vivarium.run({
        code: probe([
          ['127.0.0.1', address.port],
          ['169.254.169.254', 80],
        ]),
      });
      assert.deepEqual([result.stdout, result.stderr], ['[]\n', '']);
    } finally {
      listener.close();
    }
  });
});

describe('isolation: no way out of a pod', () => {
  const vivarium = useServer('kubernetes');
  let open: OpenNamespace | undefined;

  before(async () => {
    open = await openNamespace(settings.parse({}).image);
  });
  after(() => open?.remove());

  it('not to the API server, DNS, the node, the metadata address, another pod or another sandbox', async () => {
    assert.ok(open);
    const other = streamRun(vivarium.server.url, {
      code: `import http.server
http.server.ThreadingHTTPServer(('', 8080), http.server.SimpleHTTPRequestHandler).serve_forever()`,
      timeout_seconds: 150,
    });
    try {
      const { execution_id: neighbour } = (await other.next('started')).data as { execution_id: string };
      const sandbox = await started(ofExecution(neighbour));
      const service = await kubectl(['get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}']);
      const dns = await kubectl([
        'get',
        'service',
        'kube-dns',
        '-n',
        'kube-system',
        '-o',
        'jsonpath={.spec.clusterIP}',
      ]);
      const endpoint = '{.subsets[0].addresses[0].ip} {.subsets[0].ports[0].port}';
      const [server = '', port = ''] = (
        await kubectl(['get', 'endpoints', 'kubernetes', '-o', `jsonpath=${endpoint}`])
      ).split(' ');
      const reachable: [string, number][] = [
        [service, 443],
        [server, Number(port)],
        [dns, 53],
        [sandbox.status?.hostIP ?? '', 10_250],
        [open.address, 8080],
      ];
      const targets: [string, number][] = [
        ...reachable,
        ['169.254.169.254', 80],
        [sandbox.status?.podIP ?? '', 8080],
      ];
      assert.ok(
        targets.every(([address]) => /^[\d.]+$/.test(address)),
        JSON.stringify(targets),
      );

      // What follows would prove nothing if these were out of reach for everybody.
      const byOpen = await open.python(probe(targets));
      for (const [address, number] of reachable) {
        assert.ok(byOpen.includes(`['${address}', ${number}]`), `${address}:${number} is not in ${byOpen}`);
      }
      assert.ok(!byOpen.includes(`['${sandbox.status?.podIP ?? ''}'`), 'An open pod reached a sandbox.');

      const counts = await isBuiltFromSource();
      const before = counts ? await droppedPackets() : 0;
      const result = await vivarium.run({ code: probe(targets) });
      assert.deepEqual([result.stdout, result.stderr, result.status], ['[]\n', '', 'succeeded']);
      if (counts) {
        const dropped = (await droppedPackets()) - before;
        assert.ok(dropped >= targets.length, `${dropped} packets were dropped.`);
      }
      assert.equal(
        (await pods(ofExecution(neighbour)))[0]?.status?.phase,
        'Running',
        'The neighbour has ended.',
      );
    } finally {
      other.destroy();
    }
  });
});
