import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { age, count, megabytes, MiB, peerUrl, pool, port, seconds, session } from './setting-types.ts';

/** Every setting: name, default, meaning. The environment variable of `fooBar` is `VIVARIUM_FOO_BAR`. */
export const settings = z.strictObject({
  backend: z
    .enum(['auto', 'kubernetes', 'local'])
    .default('auto')
    .describe(
      'Where code runs. `auto`: the current kube context if it answers and has the sandbox namespace, else local.',
    ),

  host: z.string().min(1).default('127.0.0.1').describe('Address that MCP and REST listen on.'),
  port: port.default(8000).describe('Port of MCP and REST.'),
  probeHost: z.string().min(1).default('127.0.0.1').describe('Address of /healthz, /readyz and /metrics.'),
  probePort: port.default(8001).describe('Port of /healthz, /readyz and /metrics.'),
  allowedHosts: z
    .array(z.string().min(1))
    .default(['localhost', '127.0.0.1', '[::1]'])
    .describe('Host names (and names in Origin) that requests may carry; `*` allows all.'),

  callerHeader: z
    .string()
    .regex(/^[A-Za-z0-9-]*$/, 'the name of a header')
    .default('')
    .describe(
      'Header in which the proxy that authenticates callers names them, such as `X-Forwarded-User`. What one caller made, another does not get. Empty: all are one caller.',
    ),
  publicUrl: z
    .union([z.literal(''), z.url({ protocol: /^https?$/ })])
    .default('')
    .describe(
      'Where callers reach this server, such as `https://vivarium.example.org`: links to artifacts begin with it.',
    ),

  namespace: z.string().min(1).default('vivarium-sandboxes').describe('Namespace of the sandboxes.'),
  image: z.string().min(1).default('vivarium-sandbox:0.1.0').describe('Image of the sandboxes.'),
  imagePullPolicy: z
    .enum(['IfNotPresent', 'Always', 'Never'])
    .default('IfNotPresent')
    .describe('When nodes pull that image.'),
  imagePullSecrets: z.array(z.string().min(1)).default([]).describe('Names of its pull secrets.'),
  runtimeClass: z
    .string()
    .default('')
    .describe('RuntimeClass of the sandboxes (gVisor, Kata), empty for none.'),
  userNamespaces: z
    .boolean()
    .default(true)
    .describe('Run each sandbox in a user namespace of its own (`hostUsers: false`).'),
  nodeSelector: z
    .record(z.string(), z.string())
    .default({})
    .describe('Node labels that sandboxes need (JSON).'),
  tolerations: z
    .array(z.record(z.string(), z.union([z.string(), z.number()])))
    .default([])
    .describe('Tolerations of the sandboxes (JSON).'),
  replicaName: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?$/, 'lower-case letters, digits and hyphens, 52 at most')
    .default(() => defaultReplicaName())
    .describe('Name of this server among its replicas. Default: the host name and the process number.'),

  defaultTimeoutSeconds: seconds.default(30).describe('Time limit of a run that names none.'),
  maxTimeoutSeconds: seconds.default(300).describe('Longest time limit; longer ones are lowered to it.'),
  defaultCpu: z.number().positive().default(1).describe('CPUs of a run that names none.'),
  maxCpu: z.number().positive().default(2).describe('Most CPUs; more are lowered to it.'),
  defaultMemoryMb: megabytes.default(512).describe('Memory (MiB) of a run that names none.'),
  maxMemoryMb: megabytes.default(2048).describe('Most memory (MiB); more is lowered to it.'),
  cpuReserved: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.25)
    .describe(
      'Part of its CPUs that a sandbox reserves on its node. The rest it has while others leave it: many wait, few compute.',
    ),
  workspaceMb: megabytes
    .default(256)
    .describe('Size (MiB) of /workspace and of /tmp, in memory: what is written there counts as memory.'),
  maxProcesses: count.default(128).describe('Most processes and threads of a run.'),
  maxCodeBytes: count.default(MiB).describe('Longest code (bytes).'),
  maxStdinBytes: count.default(MiB).describe('Longest stdin (bytes).'),
  outputBytes: count
    .default(MiB)
    .describe(
      'Output kept of each stream (bytes). Above 3 MiB, raise the kubelet’s containerLogMaxSize too.',
    ),

  inputFiles: count.default(100).describe('Most files of a request.'),
  inputBytes: count.default(32 * MiB).describe('Size of all files of a request together (bytes).'),
  fetchHosts: z
    .array(
      z
        .string()
        .regex(/^(\*|(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*)$/, 'a host name, `*.` and a domain, or `*`'),
    )
    .default([])
    .describe(
      'Hosts whose URLs files may name: `example.org`, `*.example.org`, `*`. Empty: URLs are refused.',
    ),
  fetchNetworks: z
    .array(z.union([z.cidrv4(), z.cidrv6()]))
    .default([])
    .describe('Networks that are not public and may be fetched from all the same (CIDR).'),
  fetchSeconds: seconds.default(30).describe('Longest time to fetch all files of a request.'),

  artifactFiles: count.default(100).describe('Most files that a run returns from output/.'),
  artifactBytes: count
    .default(128 * MiB)
    .describe(
      'Size of all files together that a run returns (bytes). They leave through the pod’s log: above 7 MiB, raise the kubelet’s containerLogMaxSize too, or other replicas may lack the beginning of a run that collects for long.',
    ),
  artifactStore: z
    .string()
    .regex(/^(\/|s3:\/\/[a-z0-9.-]+(\/|$))/, 'a folder (`/…`) or `s3://bucket/prefix`')
    .default(() => join(stateFolder(), 'artifacts'))
    .describe(
      'Where artifacts are kept: a folder, or `s3://bucket/prefix`. Several replicas need one that they share.',
    ),
  artifactStoreMb: count.default(10_240).describe('Size (MiB) of all artifacts; the oldest go first.'),
  artifactMaxAgeSeconds: age.default(86_400).describe('How long an artifact is kept.'),
  s3Endpoint: z
    .union([z.literal(''), z.url()])
    .default('')
    .describe('URL of an S3 server that is not Amazon’s.'),
  s3Region: z.string().min(1).default('us-east-1').describe('Region of the bucket.'),
  s3PathStyle: z.boolean().default(false).describe('Name the bucket in the path and not in the host.'),
  s3CaFile: z
    .string()
    .default('')
    .describe('File with the CA certificate of that server (PEM), if it has its own.'),

  environmentsClaim: z
    .string()
    .default('')
    .describe(
      'PersistentVolumeClaim in the sandbox namespace for environments. Empty: no `requirements` on Kubernetes.',
    ),
  environmentsFolder: z
    .string()
    .regex(/^\//, 'an absolute path')
    .default(() =>
      process.getuid?.() === 0 ? '/var/cache/vivarium/environments' : join(cacheFolder(), 'environments'),
    )
    .describe('Folder for environments where sandboxes are local.'),
  environmentMb: megabytes.default(2048).describe('Largest size (MiB) of an environment.'),
  environmentsMb: megabytes
    .default(10_240)
    .describe('Size (MiB) of all environments; those unused longest go first.'),
  environmentMaxAgeSeconds: age
    .default(2_592_000)
    .describe('How long an environment is kept that nobody uses.'),
  buildSeconds: seconds.default(300).describe('Time limit of the build of an environment.'),
  buildMemoryMb: megabytes.default(1024).describe('Memory (MiB) of such a build.'),
  packageIndex: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !/^[^/]*\/\/[^/]*@/.test(url), 'user and password belong into packageIndexCredentials')
    .default('https://pypi.org/simple')
    .describe('Index that packages come from, and the only one.'),
  packageIndexCredentials: z
    .string()
    .default('')
    .describe(
      'Secret in the sandbox namespace (or folder, where sandboxes are local) with `username`, `password` and `ca.crt` of the index, each where it needs one. Only builds see it.',
    ),
  packagesAllowed: z
    .array(z.string().regex(/^[A-Za-z0-9._*-]+$/, 'the name of a package, or its beginning and `*`'))
    .default([])
    .describe('Packages that requests may require; `types-*` is all that begin so. Empty: all.'),
  packagesDenied: z
    .array(z.string().regex(/^[A-Za-z0-9._*-]+$/, 'the name of a package, or its beginning and `*`'))
    .default([])
    .describe('Packages that no environment may hold.'),

  pools: z
    .array(pool)
    .default([])
    .describe(
      'Sandboxes that are ready before a request comes (JSON): `name`, `min`, `max`, and, where they differ from other runs, `image`, `runtimeClass`, `cpu`, `memoryMb`; `preload` lists the modules that they have imported.',
    ),
  poolMaxAgeSeconds: seconds
    .min(30)
    .default(3600)
    .describe('How long a sandbox of a pool may wait for a run before another takes its place.'),
  refillConcurrency: count
    .default(8)
    .describe('Sandboxes that start at one time on this server to refill its pools.'),

  sessionIdleSeconds: session.default(600).describe('How long a session may be idle before it ends.'),
  sessionMaxAgeSeconds: session
    .default(14_400)
    .describe('How long a session may live. Its artifacts must be kept for as long (artifactMaxAgeSeconds).'),
  sessionsPerCaller: count
    .default(8)
    .describe(
      'Most sessions of a caller at one time, on all replicas. Where callers are not told apart (callerHeader) they are one.',
    ),
  maxSessions: count.default(64).describe('Most sessions on this server at one time.'),
  sessionQueueLength: count.default(16).describe('Most calls that wait for their turn in one session.'),
  advertiseUrl: peerUrl
    .default('')
    .describe(
      'Where other replicas reach MCP and REST of this one, such as `http://10.0.0.5:8000`. Empty: its sessions can be used through this replica alone.',
    ),

  pistonUrl: z
    .union([z.literal(''), z.url({ protocol: /^https?$/ })])
    .default('')
    .describe('Piston for languages other than Python, such as `http://piston:2000`. Empty: Python only.'),
  pistonToken: z.string().default('').describe('What is sent to that Piston in `Authorization`.'),
  pistonConcurrency: count.default(8).describe('Runs at one time on that Piston, from this server.'),
  pistonPythons: z
    .array(z.string().regex(/^\d+\.\d+\.\d+$/, 'a version such as 3.10.0'))
    .default(['3.10.0'])
    .describe(
      'Versions of Python that clients of the `piston` dialect ask for, and the Python that is there answers to.',
    ),
  pistonPackages: z
    .boolean()
    .default(false)
    .describe('Let callers of the `piston` dialect install and remove packages of that Piston.'),

  dialects: z
    .array(
      z
        .string()
        .regex(
          /^(piston|pistom|primcs|python-interpreter|python-executor|librechat|sandbox-fusion)(:\d{1,5})?$/,
          'the name of a dialect, and, where it is not the usual one, `:` and its port',
        ),
    )
    .default([])
    .describe(
      'Other systems whose clients may call this server, each on a port of its own: `piston`, `pistom`, `primcs`, `python-interpreter`, `python-executor`, `librechat`, `sandbox-fusion`, such as `primcs` or `primcs:9001`. docs/dialects has a page for each.',
    ),

  concurrency: count.default(8).describe('Runs at one time on this server.'),
  queueLength: z.number().int().min(0).default(64).describe('Requests that may wait for a run to end.'),
  queueWaitSeconds: seconds.default(30).describe('Longest wait in that queue.'),
  startTimeoutSeconds: seconds.default(60).describe('Longest time from creating a Job to its code running.'),
  unschedulableSeconds: seconds
    .default(5)
    .describe('How long a pod may fit no node at all. Raise it where nodes are added on demand.'),
  retentionSeconds: z
    .number()
    .int()
    .min(0)
    .max(86_400)
    .default(60)
    .describe('How long the Job of an ended run is kept, so that its result can be asked for again.'),
  drainSeconds: seconds
    .default(25)
    .describe('At shutdown, how long runs may go on before they are cancelled.'),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least level of the log (JSON lines on stderr).'),
});

function defaultReplicaName(): string {
  const host = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40);
  return `${host || 'vivarium'}-${process.pid}`;
}

function stateFolder(): string {
  return join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local/state'), 'vivarium');
}

function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vivarium');
}
