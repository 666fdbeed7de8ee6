import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ConfigError, loadConfig, variableName } from '../../src/config.ts';
import { settings } from '../../src/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'vivarium-config-'));
after(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function faultOf(environment: NodeJS.ProcessEnv): string {
  try {
    loadConfig(environment);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  throw new assert.AssertionError({ message: 'no ConfigError' });
}

describe('loadConfig', () => {
  it('has a default for every setting', () => {
    const { replicaName, artifactStore, environmentsFolder, ...rest } = loadConfig({});
    assert.match(artifactStore, /^\/.*vivarium\/artifacts$/);
    assert.match(environmentsFolder, /^\/.*vivarium\/environments$/);
    assert.match(replicaName, /^[a-z0-9][a-z0-9-]*-\d+$/);
    assert.deepEqual(rest, {
      backend: 'auto',
      host: '127.0.0.1',
      port: 8000,
      probeHost: '127.0.0.1',
      probePort: 8001,
      allowedHosts: ['localhost', '127.0.0.1', '[::1]'],
      callerHeader: '',
      publicUrl: '',
      namespace: 'vivarium-sandboxes',
      image: 'vivarium-sandbox:0.1.0',
      imagePullPolicy: 'IfNotPresent',
      imagePullSecrets: [],
      runtimeClass: '',
      userNamespaces: true,
      nodeSelector: {},
      tolerations: [],
      defaultTimeoutSeconds: 30,
      maxTimeoutSeconds: 300,
      defaultCpu: 1,
      maxCpu: 2,
      defaultMemoryMb: 512,
      maxMemoryMb: 2048,
      cpuReserved: 0.25,
      workspaceMb: 256,
      maxProcesses: 128,
      maxCodeBytes: 1_048_576,
      maxStdinBytes: 1_048_576,
      outputBytes: 1_048_576,
      inputFiles: 100,
      inputBytes: 33_554_432,
      fetchHosts: [],
      fetchNetworks: [],
      fetchSeconds: 30,
      artifactFiles: 100,
      artifactBytes: 134_217_728,
      artifactStoreMb: 10_240,
      artifactMaxAgeSeconds: 86_400,
      s3Endpoint: '',
      s3Region: 'us-east-1',
      s3PathStyle: false,
      s3CaFile: '',
      environmentsClaim: '',
      environmentMb: 2048,
      environmentsMb: 10_240,
      environmentMaxAgeSeconds: 2_592_000,
      buildSeconds: 300,
      buildMemoryMb: 1024,
      packageIndex: 'https://pypi.org/simple',
      packageIndexCredentials: '',
      packagesAllowed: [],
      packagesDenied: [],
      pools: [],
      poolMaxAgeSeconds: 3600,
      refillConcurrency: 8,
      sessionIdleSeconds: 600,
      sessionMaxAgeSeconds: 14_400,
      sessionsPerCaller: 8,
      maxSessions: 64,
      sessionQueueLength: 16,
      advertiseUrl: '',
      pistonUrl: '',
      pistonToken: '',
      pistonConcurrency: 8,
      pistonPythons: ['3.10.0'],
      pistonPackages: false,
      dialects: [],
      concurrency: 8,
      queueLength: 64,
      queueWaitSeconds: 30,
      startTimeoutSeconds: 60,
      unschedulableSeconds: 5,
      retentionSeconds: 60,
      drainSeconds: 25,
      logLevel: 'info',
    });
  });

  it('describes every setting', () => {
    for (const [name, schema] of Object.entries(settings.shape)) {
      assert.ok((schema.description ?? '').length > 10, name);
    }
  });

  it('reads texts, numbers, booleans, lists and JSON from the environment', () => {
    const config = loadConfig({
      VIVARIUM_BACKEND: 'local',
      VIVARIUM_IMAGE: '123',
      VIVARIUM_PORT: '0',
      VIVARIUM_DEFAULT_CPU: '0.5',
      VIVARIUM_USER_NAMESPACES: 'false',
      VIVARIUM_ALLOWED_HOSTS: 'a.example, b.example',
      VIVARIUM_IMAGE_PULL_SECRETS: '["one","two"]',
      VIVARIUM_NODE_SELECTOR: '{"disk":"ssd"}',
      VIVARIUM_TOLERATIONS: '[{"key":"sandboxes","operator":"Exists","tolerationSeconds":3}]',
      VIVARIUM_RUNTIME_CLASS: 'gvisor',
      VIVARIUM_REPLICA_NAME: 'one',
      PATH: '/bin',
    });
    assert.equal(config.backend, 'local');
    assert.equal(config.image, '123');
    assert.equal(config.port, 0);
    assert.equal(config.defaultCpu, 0.5);
    assert.equal(config.userNamespaces, false);
    assert.deepEqual(config.allowedHosts, ['a.example', 'b.example']);
    assert.deepEqual(config.imagePullSecrets, ['one', 'two']);
    assert.deepEqual(config.nodeSelector, { disk: 'ssd' });
    assert.deepEqual(config.tolerations, [{ key: 'sandboxes', operator: 'Exists', tolerationSeconds: 3 }]);
    assert.equal(config.runtimeClass, 'gvisor');
    assert.equal(config.replicaName, 'one');
  });

  it('gives the address of a pod the brackets that IPv6 has in a URL', () => {
    const table = [
      ['http://10.0.0.5:8000', 'http://10.0.0.5:8000'],
      ['http://fd00:1::7:8000', 'http://[fd00:1::7]:8000'],
      ['http://[fd00:1::7]:8000', 'http://[fd00:1::7]:8000'],
    ] as const;
    for (const [VIVARIUM_ADVERTISE_URL, url] of table) {
      assert.equal(loadConfig({ VIVARIUM_ADVERTISE_URL }).advertiseUrl, url);
    }
  });

  it('takes a single name for a list of one', () => {
    assert.deepEqual(loadConfig({ VIVARIUM_ALLOWED_HOSTS: '*' }).allowedHosts, ['*']);
  });

  it('reads a file, and the environment over it', () => {
    const path = file('good.json', '{"port": 9000, "host": "0.0.0.0", "tolerations": [{"key": "a"}]}');
    const config = loadConfig({ VIVARIUM_CONFIG: path, VIVARIUM_PORT: '9100' });
    assert.equal(config.port, 9100);
    assert.equal(config.host, '0.0.0.0');
    assert.deepEqual(config.tolerations, [{ key: 'a' }]);
  });

  it('names a variable that is no setting, and those that there are', () => {
    const message = faultOf({ VIVARIUM_PROT: '1' });
    assert.match(message, /^VIVARIUM_PROT: no such setting\. Settings: VIVARIUM_BACKEND, VIVARIUM_HOST, /);
    for (const setting of Object.keys(settings.shape)) assert.ok(message.includes(variableName(setting)));
  });

  it('names a setting of the file that there is not', () => {
    const path = file('unknown.json', '{"prot": 1}');
    assert.equal(faultOf({ VIVARIUM_CONFIG: path }), 'settings: Unrecognized key: "prot"');
  });

  it('says what is wrong with a file', () => {
    assert.match(faultOf({ VIVARIUM_CONFIG: join(folder, 'none') }), /^VIVARIUM_CONFIG=.*none: ENOENT/);
    assert.match(
      faultOf({ VIVARIUM_CONFIG: file('bad.json', '{"port":') }),
      /^VIVARIUM_CONFIG=.*bad\.json: .*JSON/,
    );
    for (const content of ['[]', 'null', '3']) {
      const path = file('no-object.json', content);
      assert.equal(
        faultOf({ VIVARIUM_CONFIG: path }),
        `VIVARIUM_CONFIG=${path}: the file must hold one JSON object`,
      );
    }
  });

  it('says what is wrong with values, one line each', () => {
    assert.equal(
      faultOf({ VIVARIUM_PORT: '70000', VIVARIUM_CONCURRENCY: '0' }),
      'port: Too big: expected number to be <=65535\nconcurrency: Too small: expected number to be >0',
    );
  });

  const wrong: [variable: string, value: string, message: string][] = [
    ['SESSION_MAX_AGE_SECONDS', '2000001', 'sessionMaxAgeSeconds: Too big: expected number to be <=2000000'],
    ['BACKEND', 'docker', 'backend: Invalid option: expected one of "auto"|"kubernetes"|"local"'],
    ['PORT', 'http', 'port: Invalid input: expected number, received string'],
    ['PORT', '', 'port: Invalid input: expected number, received string'],
    ['PORT', '1.5', 'port: Invalid input: expected int, received number'],
    ['PORT', '-1', 'port: Too small: expected number to be >=0'],
    ['HOST', '', 'host: Too small: expected string to have >=1 characters'],
    ['USER_NAMESPACES', 'yes', 'userNamespaces: Invalid input: expected boolean, received string'],
    ['ALLOWED_HOSTS', '["a", ""]', 'allowedHosts.1: Too small: expected string to have >=1 characters'],
    ['NODE_SELECTOR', '{"a":1}', 'nodeSelector.a: Invalid input: expected string, received number'],
    ['TOLERATIONS', '{"a":1}', 'tolerations: Invalid input: expected array, received object'],
    ['REPLICA_NAME', 'Upper', 'replicaName: lower-case letters, digits and hyphens, 52 at most'],
    ['REPLICA_NAME', 'a'.repeat(53), 'replicaName: lower-case letters, digits and hyphens, 52 at most'],
    ['REPLICA_NAME', 'end-', 'replicaName: lower-case letters, digits and hyphens, 52 at most'],
    ['DEFAULT_MEMORY_MB', '8', 'defaultMemoryMb: Too small: expected number to be >=16'],
    ['MAX_TIMEOUT_SECONDS', '100000', 'maxTimeoutSeconds: Too big: expected number to be <=86400'],
    ['RETENTION_SECONDS', '-1', 'retentionSeconds: Too small: expected number to be >=0'],
    ['LOG_LEVEL', 'loud', 'logLevel: Invalid option: expected one of "debug"|"info"|"warn"|"error"|"silent"'],
  ];
  for (const [variable, value, message] of wrong) {
    it(`refuses ${variable}=${value.slice(0, 20)}`, () => {
      assert.equal(faultOf({ [`VIVARIUM_${variable}`]: value }), message);
    });
  }

  it('checks settings that belong together', () => {
    assert.equal(
      faultOf({
        VIVARIUM_DEFAULT_TIMEOUT_SECONDS: '301',
        VIVARIUM_DEFAULT_CPU: '3',
        VIVARIUM_DEFAULT_MEMORY_MB: '4096',
        VIVARIUM_WORKSPACE_MB: '2049',
      }),
      [
        'defaultTimeoutSeconds: 301 is more than maxTimeoutSeconds, which is 300',
        'defaultCpu: 3 is more than maxCpu, which is 2',
        'defaultMemoryMb: 4096 is more than maxMemoryMb, which is 2048',
        'workspaceMb: 2049 is more than maxMemoryMb, which is 2048',
      ].join('\n'),
    );
    assert.equal(loadConfig({ VIVARIUM_DEFAULT_CPU: '2' }).defaultCpu, 2);
  });
});

describe('variableName', () => {
  it('is the setting in capitals', () => {
    assert.equal(variableName('port'), 'VIVARIUM_PORT');
    assert.equal(variableName('maxCodeBytes'), 'VIVARIUM_MAX_CODE_BYTES');
  });
});
