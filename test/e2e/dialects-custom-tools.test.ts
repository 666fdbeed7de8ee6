/** Custom tools of BeeAI Code Interpreter: what it says of a function, and what the function returns. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { bee } from './dialects/python-interpreter.ts';
import { startServer, type Server } from './harness/server.ts';

const cool = `
import typing
import typing as banana
from typing import Optional
from typing import Union as Onion

def my_tool(a: int, b: typing.Tuple[Optional[str], str] = ("hello", "world"), *, c: Onion[list[str], dict[str, banana.Optional[float]]]) -> int:
    """
    This tool is really really cool.
    Very toolish experience:
    - Toolable.
    - Toolastic.
    :param a: something cool
    (very cool indeed)
    :param b: something nice
    :return: something great
    :param c: something awful
    """
    return 1 + 1
                `;
const coolSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  title: 'my_tool',
  properties: {
    a: { type: 'integer', description: 'something cool\n(very cool indeed)' },
    b: {
      type: 'array',
      minItems: 2,
      items: [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, { type: 'string' }],
      additionalItems: false,
      description: 'something nice',
    },
    c: {
      anyOf: [
        { type: 'array', items: { type: 'string' } },
        { type: 'object', additionalProperties: { anyOf: [{ type: 'number' }, { type: 'null' }] } },
      ],
      description: 'something awful',
    },
  },
  required: ['a', 'c'],
  additionalProperties: false,
};

const weather = `
import typing
import requests

def current_weather(lat: float, lon: float):
    """
    Get the current weather at a location.

    :param lat: A latitude.
    :param lon: A longitude.
    :return: A dictionary with the current weather.
    """
    return requests.get("https://example.com").json()`;

describe('custom tools: kubernetes', { concurrency: 3 }, () => {
  let server: Server;
  let base = '';
  before(async () => {
    server = await startServer('kubernetes', {
      VIVARIUM_DIALECTS: 'python-interpreter:0',
      VIVARIUM_DEFAULT_MEMORY_MB: '256',
    });
    base = String(server.dialects['python-interpreter']);
  });
  after(() => server.stop());

  it('a function is told by its annotations and its docstring', async () => {
    const { tool_name, tool_description, tool_input_schema_json } = await bee(base).parseTool(cool);
    assert.equal(tool_name, 'my_tool');
    assert.equal(
      tool_description,
      'This tool is really really cool.\nVery toolish experience:\n- Toolable.\n- Toolastic.\n\n' +
        'Returns: int -- something great',
    );
    assert.deepEqual(JSON.parse(tool_input_schema_json), coolSchema);
  });

  it('imports that nobody has are no obstacle', async () => {
    const { tool_description, tool_input_schema_json } = await bee(base).parseTool(weather);
    assert.equal(
      tool_description,
      'Get the current weather at a location.\n\nReturns: A dictionary with the current weather.',
    );
    const { properties, required } = JSON.parse(tool_input_schema_json) as typeof coolSchema;
    assert.deepEqual(properties, {
      lat: { type: 'number', description: 'A latitude.' },
      lon: { type: 'number', description: 'A longitude.' },
    });
    assert.deepEqual(required, ['lat', 'lon']);
  });

  const refused: [name: string, source: string, messages: string[]][] = [
    [
      'all four faults of its arguments',
      'def my_tool(a, /, b, *args, **kwargs) -> int:\n  return 1 + 1',
      [
        'The tool function must not have positional-only arguments',
        'The tool function must not have *args',
        'The tool function must not have **kwargs',
        'The tool function arguments must have type annotations',
      ],
    ],
    [
      'more than a function',
      'x = 1\ndef f(a: int): pass',
      ['The tool source code must only define a single function, optionally preceded by imports.'],
    ],
    ['an annotation that is called', 'def f(a: open("x")): pass', ["Invalid type annotation `open('x')`"]],
  ];
  for (const [name, tool_source_code, error_messages] of refused) {
    it(`400: ${name}`, async () => {
      const { status, body } = await bee(base).post('/v1/parse-custom-tool', { tool_source_code });
      assert.deepEqual([status, body], [400, { error_messages }]);
    });
  }

  it('400: what is no Python, with its line', async () => {
    const request = { tool_source_code: 'import os\ndef f(:' };
    const { status, body } = await bee(base).post<{ error_messages: string[] }>(
      '/v1/parse-custom-tool',
      request,
    );
    assert.equal(status, 400);
    assert.match(body.error_messages.join('|'), /^Syntax error: [^|]+ on line 2$/);
  });

  it('what a function prints is swallowed, what it returns is answered', async () => {
    const source = 'def add(a: int, b: int) -> int:\n  print("noise")\n  return a + b';
    const { status, body } = await bee(base).post<object>('/v1/execute-custom-tool', {
      tool_source_code: source,
      tool_input_json: '{"a": 1, "b": 2}',
    });
    assert.deepEqual([status, body], [200, { tool_output_json: '3' }]);
  });

  it('arguments become what they are annotated as', async () => {
    const source = `
import datetime

def date_tool(a: datetime.datetime) -> dict:
    return {"year": a.year}
`;
    assert.deepEqual(await bee(base).useTool(source, { a: '2000-01-01T00:00:00' }), { year: 2000 });
  });

  it('variables of its environment are there', async () => {
    const source = "import os\ndef greet() -> str:\n  return 'Hello ' + os.environ['MY_NAME']";
    assert.equal(await bee(base).useTool(source, {}, { MY_NAME: 'John Doe' }), 'Hello John Doe');
  });

  const division = 'def division_tool(a: int, b: int) -> int:\n  return a / b';
  const failing: [name: string, input: string, stderr: RegExp][] = [
    ['the exception of a function', '{"a": 0, "b": 0}', /ZeroDivisionError: division by zero/],
    ['arguments of another type', '{"a": "x", "b": 0}', /\ba\b[^]*integer/],
    ['an argument too few', '{"a": 1}', /\bb\b/],
  ];
  for (const [name, tool_input_json, stderr] of failing) {
    it(`400: ${name}`, async () => {
      const request = { tool_source_code: division, tool_input_json };
      const { status, body } = await bee(base).post<{ stderr: string }>('/v1/execute-custom-tool', request);
      assert.deepEqual([status, Object.keys(body)], [400, ['stderr']]);
      assert.match(body.stderr, stderr);
    });
  }

  for (const path of ['/v1/parse-custom-tool', '/v1/execute-custom-tool']) {
    it(`422: ${path} without a source`, async () => {
      const { status, body } = await bee(base).post<{ detail: { loc: string[]; type: string }[] }>(path, {});
      assert.deepEqual([status, body.detail[0]?.type], [422, 'missing']);
      assert.deepEqual(body.detail[0]?.loc, ['body', 'tool_source_code']);
    });
  }
});
