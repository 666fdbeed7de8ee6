import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { door, parsed } from './dialects-python-interpreter-support.ts';

describe('custom tools', () => {
  it('are parsed in a sandbox', async (t) => {
    const opened = await door(t);
    const tool = { tool_name: 'f', tool_input_schema_json: '{}', tool_description: '' };
    opened.script = ({ stdin }) => {
      assert.deepEqual(JSON.parse(stdin), { tool_source_code: 'def f(): pass' });
      return { stdout: `${JSON.stringify(tool)}\n` };
    };
    const { status, body } = await opened.post('/v1/parse-custom-tool', {
      tool_source_code: 'def f(): pass',
    });
    assert.deepEqual([status, body], [200, tool]);
  });

  it('may be none', async (t) => {
    const opened = await door(t);
    opened.script = () => ({ stdout: '{"error_messages": ["why"]}\n' });
    const { status, body } = await opened.post('/v1/parse-custom-tool', { tool_source_code: '' });
    assert.deepEqual([status, body], [400, { error_messages: ['why'] }]);
  });

  it('are called with their input', async (t) => {
    const opened = await door(t);
    opened.script = ({ stdin, env }) => {
      assert.deepEqual(JSON.parse(stdin), { tool_source_code: 's', tool_input_json: '{}' });
      return { stdout: `"${String(env.A)}"\n` };
    };
    const call = { tool_source_code: 's', tool_input_json: '{}', env: { A: 'b' } };
    const { status, body } = await opened.post('/v1/execute-custom-tool', call);
    assert.deepEqual([status, body], [200, { tool_output_json: '"b"' }]);
  });

  for (const [maxTimeoutSeconds, seconds] of [
    [300, 60],
    [20, 20],
  ] as const) {
    it(`have ${seconds} s where programs may have ${maxTimeoutSeconds}`, async (t) => {
      const opened = await door(t, { defaultTimeoutSeconds: 10, maxTimeoutSeconds });
      opened.script = () => ({ stdout: '1\n' });
      await opened.post('/v1/execute-custom-tool', { tool_source_code: 's', tool_input_json: '{}' });
      assert.equal(opened.runs[0]?.request.timeout_seconds, seconds);
    });
  }

  it('may fail', async (t) => {
    const opened = await door(t);
    opened.script = () => ({ status: 'failed', exit_code: 1, stderr: 'ZeroDivisionError\n' });
    const call = { tool_source_code: 's', tool_input_json: '{}' };
    const { status, body } = await opened.post('/v1/execute-custom-tool', call);
    assert.deepEqual([status, body], [400, { stderr: 'ZeroDivisionError\n' }]);
  });
});

describe('what a tool is', () => {
  it('follows from its function', async (t) => {
    const { status, body } = await parsed(
      t,
      `
import typing
import typing as other
from typing import Optional
from typing import Union as Either
import requests

def my_tool(a: int, b: typing.Tuple[Optional[str], str] = ("x", "y"), *, c: Either[list[str], dict[str, other.Optional[float]]]) -> int:
    """
    Does a thing.
    With care:
    - Twice.
    :param a: some number
    (a small one)
    :param b: a pair
    :return: another number
    :param c: either
    """
    return 1
    `,
    );
    assert.equal(status, 200);
    assert.equal(body.tool_name, 'my_tool');
    assert.equal(
      body.tool_description,
      'Does a thing.\nWith care:\n- Twice.\n\nReturns: int -- another number',
    );
    assert.deepEqual(JSON.parse(String(body.tool_input_schema_json)), {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      title: 'my_tool',
      properties: {
        a: { type: 'integer', description: 'some number\n(a small one)' },
        b: {
          type: 'array',
          minItems: 2,
          items: [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, { type: 'string' }],
          additionalItems: false,
          description: 'a pair',
        },
        c: {
          anyOf: [
            { type: 'array', items: { type: 'string' } },
            { type: 'object', additionalProperties: { anyOf: [{ type: 'number' }, { type: 'null' }] } },
          ],
          description: 'either',
        },
      },
      required: ['a', 'c'],
      additionalProperties: false,
    });
  });

  for (const [annotation, schema] of [
    ['str', { type: 'string' }],
    ['bool', { type: 'boolean' }],
    ['bytes', { type: 'string', format: 'binary' }],
    ['None', { type: 'null' }],
    ['typing.Any', {}],
    ['int | None', { anyOf: [{ type: 'integer' }, { type: 'null' }] }],
    ['list', { type: 'array', items: {} }],
    ['typing.List[int]', { type: 'array', items: { type: 'integer' } }],
    ['typing.Sequence[int]', { type: 'array', items: { type: 'integer' } }],
    ['set[int]', { type: 'array', items: { type: 'integer' }, uniqueItems: true }],
    ['tuple', { type: 'array', items: {} }],
    ['tuple[int, ...]', { type: 'array', items: { type: 'integer' } }],
    ['dict', { type: 'object', additionalProperties: true }],
    ['dict[str, int]', { type: 'object', additionalProperties: { type: 'integer' } }],
    ['typing.Literal["a"]', { const: 'a', type: 'string' }],
    ['typing.Literal["a", "b"]', { enum: ['a', 'b'], type: 'string' }],
    ['typing.Literal["a", 1]', { enum: ['a', 1] }],
    ['datetime.datetime', { type: 'string', format: 'date-time' }],
    ['datetime.timedelta', { type: 'string', format: 'duration' }],
    ['pathlib.Path', { type: 'string', format: 'path' }],
  ] as const) {
    it(`has a schema for ${annotation}`, async (t) => {
      const { body } = await parsed(t, `import typing, datetime, pathlib\ndef f(a: ${annotation}): pass`);
      const { properties } = JSON.parse(String(body.tool_input_schema_json)) as { properties: object };
      assert.deepEqual(properties, { a: schema });
    });
  }

  const single = 'The tool source code must only define a single function, optionally preceded by imports.';
  for (const [source, ...messages] of [
    ['', single],
    ['x = 1\ndef f(): pass', single],
    ['def f(): pass\nf()', single],
    ['def f(', "Syntax error: '(' was never closed on line 1"],
    [
      'def f(a, /, b, *args, **kwargs): pass',
      'The tool function must not have positional-only arguments',
      'The tool function must not have *args',
      'The tool function must not have **kwargs',
      'The tool function arguments must have type annotations',
    ],
    ['def f(a: print("x")): pass', "Invalid type annotation `print('x')`"],
    ['def f(a: Frame): pass', "Error when parsing type `Frame`: name 'Frame' is not defined"],
    [
      'import os\ndef f(a: os.PathLike): pass',
      "Error when parsing type `os.PathLike`: name 'os' is not defined",
    ],
    ['from typing import Nothing\ndef f(): pass', 'Cannot import name `Nothing` from `typing`'],
  ] as const) {
    it(`refuses ${JSON.stringify(source)}`, async (t) => {
      assert.deepEqual(await parsed(t, source), { status: 400, body: { error_messages: messages } });
    });
  }

  for (const source of ['\0', '\ud800', `x = ${'-'.repeat(100_000)}1`]) {
    it(`refuses what Python does not even parse: ${JSON.stringify(source.slice(0, 9))}`, async (t) => {
      const { status, body } = await parsed(t, source);
      assert.equal(status, 400);
      assert.match(String(body.error_messages), /^Syntax error: \S/);
    });
  }
});
