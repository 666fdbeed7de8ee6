import type { ServerResponse } from 'node:http';
import type { WebSocket } from 'ws';
import type { Frame } from '../../../src/output/frame.ts';
import type { RunMode } from '../../../src/schedule/backend.ts';
import type { Store, Stored } from './store.ts';

const stdoutChannel = 1;

/** What an agent is asked to run. */
export interface Asked {
  type: 'run';
  execution_id: string;
  code: string;
  stdin: string;
  args: string[];
  env: Record<string, string>;
  mode: RunMode;
  limits: Record<string, unknown>;
}

interface Hello {
  type: 'hello';
  preload: string[];
}

/** What an agent is asked about a workspace, and to stop. */
export type Line =
  | Asked
  | Hello
  | { type: 'file'; path: string; base64: string }
  | { type: 'write'; path: string; base64: string; more: boolean }
  | { type: 'list'; path: string; recursive: boolean }
  | { type: 'read'; path: string; most: number }
  | { type: 'stop'; execution_id: string };

/** A pod, of which a test plays the kubelet and the agent. */
export class FakePod {
  readonly name: string;
  readonly job: string;
  /** Resolves with the modules that a hello over stdin names. */
  readonly hello: Promise<string[]>;
  /** Resolves with the request once it has come over stdin. */
  readonly asked: Promise<Asked>;
  /** All lines of stdin. */
  readonly heard: Line[] = [];
  /** Aborted when the pod is deleted. */
  readonly deleted: AbortSignal;
  readonly #pods: Store;
  readonly #deleting = new AbortController();
  readonly #hello = Promise.withResolvers<string[]>();
  readonly #asked = Promise.withResolvers<Asked>();
  #read = 0;
  #wake: () => void = () => undefined;
  #stdinEnded = false;
  readonly #sockets = new Set<WebSocket>();
  readonly #followers = new Set<ServerResponse>();
  #log = Buffer.alloc(0);
  #stdin = Buffer.alloc(0);
  #isOver = false;
  #seq = 0;

  constructor(pods: Store, name: string, job: string) {
    this.#pods = pods;
    this.name = name;
    this.job = job;
    this.hello = this.#hello.promise;
    this.asked = this.#asked.promise;
    this.deleted = this.#deleting.signal;
  }

  get uid(): string {
    return this.#pods.objects.get(this.name)?.metadata.uid ?? '';
  }

  /** Gives the pod a status, and a node, unless that is ''. */
  status(status: object, nodeName = 'node-1'): void {
    const pod = this.#pods.objects.get(this.name);
    if (!pod) return;
    const spec = { ...(pod.spec as object), ...(nodeName !== '' && { nodeName }) };
    this.#pods.update({ ...pod, spec, status });
  }

  /** Takes the pod to where its agent waits. */
  start(): void {
    this.status({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True' }] });
    this.#container('Running', { running: { startedAt: new Date().toISOString() } });
  }

  /** A container that waits, terminated or runs. */
  #container(phase: string, state: object, more: object = {}): void {
    this.status({ phase, containerStatuses: [{ name: 'sandbox', restartCount: 0, state }], ...more });
  }

  wait(reason: string, message: string): void {
    this.#container('Pending', { waiting: { reason, message } });
  }

  /** The container ends: so do the log and the attach. */
  end(terminated: { exitCode: number; reason: string }, more: object = {}): void {
    this.hangUp();
    this.#container(terminated.exitCode === 0 ? 'Succeeded' : 'Failed', { terminated }, more);
  }

  /** Attach and log end, and the status says nothing. */
  hangUp(): void {
    this.#isOver = true;
    this.detach();
    for (const res of this.#followers) res.end();
  }

  /** Deletes the pod, as a controller or a person does. */
  delete(): void {
    this.#pods.delete(this.name);
    this.#deleting.abort();
    this.hangUp();
  }

  /** Numbers a frame as the agent does. */
  line(frame: Omit<Frame, 'seq'> & Record<string, unknown>): Buffer {
    return Buffer.from(`${JSON.stringify({ seq: this.#seq++, ...frame })}\n`);
  }

  /** Bytes of the agent's stdout: to the log and to those who are attached. */
  write(bytes: Buffer, to: { log?: boolean; attach?: boolean } = {}): void {
    if (to.log !== false) {
      this.#log = Buffer.concat([this.#log, bytes]);
      for (const res of this.#followers) res.write(bytes);
    }
    if (to.attach === false) return;
    for (const socket of this.#sockets) socket.send(Buffer.concat([Buffer.of(stdoutChannel), bytes]));
  }

  say(
    frame: Omit<Frame, 'seq'> & Record<string, unknown>,
    to: { log?: boolean; attach?: boolean } = {},
  ): void {
    this.write(this.line(frame), to);
  }

  /** Breaks the attach without a goodbye. */
  detach(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  /** Sends what is no WebSocket frame. */
  garble(): void {
    for (const socket of this.#sockets) {
      (socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(
        Buffer.alloc(64, 0xff),
      );
    }
  }

  get isAttached(): boolean {
    return this.#sockets.size > 0;
  }

  attach(socket: WebSocket): void {
    this.#sockets.add(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#stdinEnded = true;
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('message', (message: Buffer) => {
      this.#stdin = Buffer.concat([this.#stdin, message.subarray(1)]);
      for (let end = this.#stdin.indexOf(10); end >= 0; end = this.#stdin.indexOf(10)) {
        this.#hear(JSON.parse(this.#stdin.toString('utf8', 0, end)) as Line);
        this.#stdin = this.#stdin.subarray(end + 1);
      }
    });
  }

  #hear(line: Line): void {
    if (line.type === 'hello') this.#hello.resolve(line.preload);
    if (line.type === 'run') this.#asked.resolve(line);
    this.heard.push(line);
    this.#wake();
  }

  /** The next line of stdin; undefined when that has ended. */
  async next(): Promise<Line | undefined> {
    while (this.#read === this.heard.length && !this.#stdinEnded) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.heard[this.#read++];
  }

  serveLog(follow: boolean, res: ServerResponse): void {
    res.writeHead(200, { 'content-type': 'text/plain' });
    res.write(this.#log);
    if (!follow || this.#isOver) {
      res.end();
      return;
    }
    this.#followers.add(res);
    res.on('close', () => this.#followers.delete(res));
  }

  /** Breaks the connections of those who follow the log. */
  cutLog(): void {
    for (const res of this.#followers) res.destroy();
  }
}

/** The pod of a Job, as the Job controller makes it. */
export function podOf(job: Stored): Stored {
  const template = (job.spec as { template: { metadata: Stored['metadata']; spec: object } }).template;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${job.metadata.name}-abcde`,
      namespace: job.metadata.namespace ?? '',
      labels: { ...template.metadata.labels, 'batch.kubernetes.io/job-name': job.metadata.name },
      ownerReferences: [{ uid: job.metadata.uid ?? '' }],
    },
    spec: template.spec,
    status: { phase: 'Pending' },
  };
}
