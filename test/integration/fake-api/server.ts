import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { json } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';
import { sendJson, sendStatus } from './answers.ts';
import { Faults } from './faults.ts';
import { FakePod, podOf } from './pod.ts';
import { echo, type Script } from './scripts.ts';
import { mergePatch, selected, Store, type Stored } from './store.ts';
import { Watches } from './watches.ts';

interface Attributes {
  verb: string;
  resource: string;
  subresource?: string;
}

const objectPath = /^\/apis?\/(?:[^/]+\/)?v1\/namespaces\/sandboxes\/(\w+)(?:\/([^/]+))?(?:\/(\w+))?$/;

/** As much of an API server, of the Job controller and of the garbage collector as sandboxes need. */
export class FakeApi {
  readonly stores = {
    jobs: new Store(),
    pods: new Store(),
    events: new Store(),
    leases: new Store(),
    configmaps: new Store(),
  };
  readonly faults = new Faults();
  readonly watches = new Watches();
  readonly pods = new Map<string, FakePod>();
  /** Closes what uses this API server. */
  readonly clients: (() => Promise<void>)[] = [];
  /** What was asked: method and path. */
  readonly requests: string[] = [];
  /** What each new pod does. */
  script: Script = echo;
  /** Why the Job controller makes no pods; undefined if it does. */
  noPods: string | undefined;
  may: (attributes: Attributes) => boolean = () => true;
  hasNamespace = true;
  namespaceLabels: Record<string, string> = {};
  kubeconfig = '';
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #connections = new Set<Duplex>();
  #folder = '';

  constructor() {
    this.#server = createServer((req, res) => {
      this.#serve(req, res).catch((error: unknown) => {
        sendStatus(res, 500, 'InternalError', String(error));
      });
    });
    this.#server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#attach(req, socket, head);
    });
    this.#server.on('connection', (socket: Duplex) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    this.#folder = mkdtempSync(join(tmpdir(), 'vivarium-fake-api-'));
    this.kubeconfig = join(this.#folder, 'config');
    writeFileSync(
      this.kubeconfig,
      JSON.stringify({
        'current-context': 'fake',
        clusters: [
          { name: 'fake', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
        ],
        users: [{ name: 'fake', user: { token: 'a-token' } }],
        contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
      }),
    );
  }

  /** Stops once its clients have closed. */
  async stop(): Promise<void> {
    this.faults.clear();
    await Promise.all(this.clients.map((close) => close()));
    this.#sockets.close();
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#connections) socket.destroy();
    await closed;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Names of the Jobs that there are. */
  get jobs(): string[] {
    return [...this.stores.jobs.objects.keys()];
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '', 'http://fake');
    const method = req.method ?? '';
    this.requests.push(`${method} ${url.pathname}`);
    const body = method === 'GET' ? undefined : ((await json(req)) as Stored);
    if (method === 'PATCH' && req.headers['content-type'] !== 'application/merge-patch+json') {
      sendStatus(res, 415, 'UnsupportedMediaType', String(req.headers['content-type']));
      return;
    }
    const fault = this.faults.take(method, url.pathname);
    if (this.faults.meet(fault, req, res)) return;
    if (fault === 'reset after') {
      res.end = () => req.socket.destroy() as unknown as ServerResponse;
    }
    this.#answer(method, url, body, res);
  }

  #answer(method: string, url: URL, body: Stored | undefined, res: ServerResponse): void {
    if (url.pathname === '/version') {
      sendJson(res, 200, { gitVersion: 'v1.99.0' });
    } else if (url.pathname === '/api/v1/namespaces/sandboxes') {
      if (this.hasNamespace)
        sendJson(res, 200, { metadata: { name: 'sandboxes', labels: this.namespaceLabels } });
      else sendStatus(res, 404, 'NotFound', 'namespaces "sandboxes" not found');
    } else if (url.pathname.endsWith('/selfsubjectaccessreviews')) {
      const { resourceAttributes } = (body as unknown as { spec: { resourceAttributes: Attributes } }).spec;
      sendJson(res, 201, { ...body, status: { allowed: this.may(resourceAttributes) } });
    } else {
      const [, resource = '', name, subresource] = objectPath.exec(url.pathname) ?? [];
      if (!(resource in this.stores)) {
        sendStatus(res, 404, 'NotFound', `the server could not find ${url.pathname}`);
        return;
      }
      this.#object(
        method,
        resource as keyof FakeApi['stores'],
        name,
        subresource,
        url.searchParams,
        body,
        res,
      );
    }
  }

  #object(
    method: string,
    resource: keyof FakeApi['stores'],
    name: string | undefined,
    subresource: string | undefined,
    query: URLSearchParams,
    body: Stored | undefined,
    res: ServerResponse,
  ): void {
    const store = this.stores[resource];
    if (name === undefined) {
      if (method === 'POST' && body) this.#create(resource, store, query, body, res);
      else if (query.get('watch') === 'true') this.watches.serve(resource, store, query, res);
      else {
        const items = [...store.objects.values()].filter((object) => selected(object, query));
        sendJson(res, 200, { kind: 'List', metadata: { resourceVersion: store.version }, items });
      }
      return;
    }
    const found = store.objects.get(name);
    if (!found) sendStatus(res, 404, 'NotFound', `${resource} "${name}" not found`);
    else if (subresource === 'log') this.pods.get(name)?.serveLog(query.get('follow') === 'true', res);
    else if (method === 'GET') sendJson(res, 200, found);
    else if (method === 'DELETE' && isOther(body, found))
      sendStatus(res, 409, 'Conflict', 'the UID in the precondition is not that of the object');
    else if (method === 'DELETE') sendJson(res, 200, this.delete(resource, found));
    else if (method === 'PATCH' && isStale(body, found))
      sendStatus(res, 409, 'Conflict', 'the object has been modified');
    else if (method === 'PATCH') sendJson(res, 200, store.update(mergePatch(found, body) as Stored));
    else if (method === 'PUT' && body) {
      if (body.metadata.resourceVersion === found.metadata.resourceVersion)
        sendJson(res, 200, store.update(body));
      else sendStatus(res, 409, 'Conflict', 'the object has been modified');
    } else sendStatus(res, 405, 'MethodNotAllowed', `${method} ${resource}`);
  }

  #create(resource: string, store: Store, query: URLSearchParams, body: Stored, res: ServerResponse): void {
    if (store.objects.has(body.metadata.name)) {
      sendStatus(res, 409, 'AlreadyExists', `${resource} "${body.metadata.name}" already exists`);
      return;
    }
    if (query.get('dryRun') === 'All') {
      sendJson(res, 201, body);
      return;
    }
    const created = store.create(body);
    sendJson(res, 201, created);
    if (resource === 'jobs')
      setImmediate(() => {
        this.#control(created);
      });
  }

  /** Makes the pod of a Job, or says why there is none. */
  #control(job: Stored): void {
    if (this.noPods !== undefined) {
      this.stores.events.create({
        metadata: { name: `${job.metadata.name}.1` },
        reason: 'FailedCreate',
        message: this.noPods,
        involvedObject: { kind: 'Job', name: job.metadata.name },
      });
      return;
    }
    const made = this.stores.pods.create(podOf(job));
    const pod = new FakePod(this.stores.pods, made.metadata.name, job.metadata.name);
    this.pods.set(pod.name, pod);
    void this.script(pod);
  }

  /** Deletes an object and what it owns. */
  delete(resource: keyof FakeApi['stores'], object: Stored): Stored {
    const last =
      resource === 'pods' ? object : (this.stores[resource].delete(object.metadata.name) ?? object);
    if (resource === 'pods') this.pods.get(object.metadata.name)?.delete();
    for (const kind of ['jobs', 'pods'] as const) {
      for (const owned of [...this.stores[kind].objects.values()]) {
        const isOwned = owned.metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid);
        if (isOwned) this.delete(kind, owned);
      }
    }
    return last;
  }

  #attach(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { pathname } = new URL(req.url ?? '', 'http://fake');
    this.requests.push(`CONNECT ${pathname}`);
    const pod = this.pods.get(objectPath.exec(pathname)?.[2] ?? '');
    const fault = this.faults.take('CONNECT', pathname);
    if (!pod || typeof fault === 'object') {
      const status = typeof fault === 'object' ? fault.status : 404;
      socket.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno`);
    } else if (fault === 'reset') {
      socket.destroy();
    } else {
      this.#sockets.handleUpgrade(req, socket, head, (opened) => {
        pod.attach(opened);
      });
    }
  }
}

/** Whether a deletion is of an object that had the name before. */
function isOther(options: Stored | undefined, found: Stored): boolean {
  const { uid } = (options?.preconditions ?? {}) as { uid?: string };
  return uid !== undefined && uid !== found.metadata.uid;
}

/** Whether a patch is for another version of the object than there is. */
function isStale(patch: Stored | undefined, found: Stored): boolean {
  const meant = (patch?.metadata as Partial<Stored['metadata']> | undefined)?.resourceVersion;
  return meant !== undefined && meant !== found.metadata.resourceVersion;
}
