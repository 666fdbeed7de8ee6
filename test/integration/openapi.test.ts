import { Ajv2020 } from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exited, started } from './fake-api/scripts.ts';
import { call, fakeApi, refused, run, vivarium } from './harness.ts';

describe('/openapi.json', () => {
  interface Operation {
    requestBody?: { content: Record<string, { schema: object }> };
    responses: Record<string, { content: Record<string, { schema: object }> }>;
  }

  it('holds for what the server takes and answers', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    const { body } = await call<{ openapi: string; paths: Record<string, Record<string, Operation>> }>(
      `${server.url}/openapi.json`,
    );
    assert.equal(body.openapi, '3.1.0');
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const check = (schema: object | undefined, value: unknown) => {
      assert.ok(schema);
      assert.ok(ajv.validate(schema, value), ajv.errorsText());
    };
    const create = body.paths['/v1/executions']?.post;
    const one = body.paths['/v1/executions/{id}'];
    const taken = create?.requestBody?.content['application/json']?.schema;
    check(taken, { code: 'a' });
    check(taken, { code: 'a', args: ['b'], env: { A: '1' }, limits: { cpu: 1, memory_mb: 64 } });
    assert.ok(!ajv.validate(taken ?? {}, { code: 'a', other: 1 }));
    assert.ok(!ajv.validate(taken ?? {}, {}));

    const answerOf = (operation: Operation | undefined, status: string) =>
      operation?.responses[status]?.content['application/json']?.schema;
    const result = await run(server, { code: 'a' });
    check(answerOf(create, '200'), result);
    const url = `${server.url}/v1/executions/${result.execution_id}`;
    check(answerOf(one?.get, '200'), (await call(url)).body);
    check(answerOf(one?.get, 'default'), (await call(`${server.url}/v1/executions/none`)).body);
    check(answerOf(one?.get, 'default'), (await call(`${server.url}/none`)).body);
    check(answerOf(one?.delete, '202'), (await call(url, { method: 'DELETE' })).body);

    api.script = async (pod) => {
      await started(pod);
      const facts = {
        python: '3.13.5',
        platform: 'x',
        packages: [{ name: 'a', version: '1', modules: ['a'] }],
      };
      pod.say({ type: 'stdout', text: JSON.stringify(facts) });
      pod.say(exited(0));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    const packages = body.paths['/v1/packages']?.get;
    const listed = await call<{ packages: object[] }>(`${server.url}/v1/packages`);
    check(answerOf(packages, '200'), listed.body);
    assert.deepEqual(listed.body.packages, [{ name: 'a', version: '1' }]);
    check(answerOf(packages, 'default'), (await call(`${server.url}/v1/packages?requirement=-r`)).body);
    const artifact = body.paths['/v1/artifacts/{id}']?.get;
    check(answerOf(artifact, 'default'), (await call(`${server.url}/v1/artifacts/none`)).body);
    check(answerOf(create, 'default'), (await refused(server, { code: 'a'.repeat(1_100_000) })).body);
  });
});
