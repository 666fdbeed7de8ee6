import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import {
  detailsOf,
  jsonError,
  laxInteger,
  laxNumber,
  strictInteger,
  valueError,
} from '../../../../src/serve/dialects/pydantic.ts';

const schema = z.object({
  text: z.string().default(''),
  lax: laxNumber.default(1),
  whole: laxInteger.default(1),
  strict: strictInteger.min(1).default(1),
  flag: z.boolean().default(false),
  kind: z.enum(['a', 'b', 'c']).default('a'),
  list: z.array(z.object({ path: z.string() })).default([]),
  map: z.record(z.string().regex(/^\/x/), z.string()).default({}),
});

function faults(body: unknown, of: z.ZodType = schema) {
  const parsed = of.safeParse(body);
  return parsed.success ? [] : detailsOf(parsed.error, body);
}

describe('detailsOf', () => {
  for (const [name, body, expected] of [
    [
      'a type',
      { text: 5 },
      { type: 'string_type', loc: ['text'], msg: 'Input should be a valid string', input: 5 },
    ],
    [
      'null for text',
      { text: null },
      { type: 'string_type', loc: ['text'], msg: 'Input should be a valid string', input: null },
    ],
    [
      'a list',
      { list: 1 },
      { type: 'list_type', loc: ['list'], msg: 'Input should be a valid list', input: 1 },
    ],
    [
      'a dictionary',
      { map: [] },
      { type: 'dict_type', loc: ['map'], msg: 'Input should be a valid dictionary', input: [] },
    ],
    [
      'a flag',
      { flag: 'maybe' },
      { type: 'bool_type', loc: ['flag'], msg: 'Input should be a valid boolean', input: 'maybe' },
    ],
    [
      'a number as text',
      { lax: 'x' },
      {
        type: 'float_parsing',
        loc: ['lax'],
        msg: 'Input should be a valid number, unable to parse string as a number',
        input: 'x',
      },
    ],
    [
      'an integer as text',
      { whole: 'x' },
      {
        type: 'int_parsing',
        loc: ['whole'],
        msg: 'Input should be a valid integer, unable to parse string as an integer',
        input: 'x',
      },
    ],
    [
      'an integer that must not be text',
      { strict: '5' },
      { type: 'int_type', loc: ['strict'], msg: 'Input should be a valid integer', input: '5' },
    ],
    [
      'a number',
      { lax: [] },
      { type: 'float_type', loc: ['lax'], msg: 'Input should be a valid number', input: [] },
    ],
    [
      'a fraction',
      { whole: 1.5 },
      {
        type: 'int_from_float',
        loc: ['whole'],
        msg: 'Input should be a valid integer, got a number with a fractional part',
        input: 1.5,
      },
    ],
    [
      'the least',
      { strict: 0 },
      {
        type: 'greater_than_equal',
        loc: ['strict'],
        msg: 'Input should be greater than or equal to 1',
        input: 0,
        ctx: { ge: 1 },
      },
    ],
    [
      'one of some',
      { kind: 'd' },
      {
        type: 'literal_error',
        loc: ['kind'],
        msg: "Input should be 'a', 'b' or 'c'",
        input: 'd',
        ctx: { expected: "'a', 'b' or 'c'" },
      },
    ],
    [
      'what is missing within',
      { list: [{ path: 'a' }, { other: 1 }] },
      { type: 'missing', loc: ['list', 1, 'path'], msg: 'Field required', input: { other: 1 } },
    ],
    [
      'a key',
      { map: { y: 'z' } },
      {
        type: 'string_pattern_mismatch',
        loc: ['map', 'y', '[key]'],
        msg: "String should match pattern '^/x'",
        input: 'y',
        ctx: { pattern: '^/x' },
      },
    ],
    [
      'a value by its key',
      { map: { '/x': 1 } },
      { type: 'string_type', loc: ['map', '/x'], msg: 'Input should be a valid string', input: 1 },
    ],
  ] as const) {
    it(`says ${name}`, () => {
      assert.deepEqual(faults(body), [{ ...expected, loc: ['body', ...expected.loc] }]);
    });
  }

  for (const body of ['text', 5, [], null]) {
    it(`says that ${JSON.stringify(body)} is no object`, () => {
      const msg = 'Input should be a valid dictionary or object to extract fields from';
      assert.deepEqual(faults(body), [{ type: 'model_attributes_type', loc: ['body'], msg, input: body }]);
    });
  }

  it('says that there is no body', () => {
    assert.deepEqual(faults(undefined), [
      { type: 'missing', loc: ['body'], msg: 'Field required', input: null },
    ]);
  });

  it('says that one of some is missing', () => {
    assert.deepEqual(faults({}, z.object({ kind: z.enum(['a', 'b']) })), [
      { type: 'missing', loc: ['body', 'kind'], msg: 'Field required', input: {} },
    ]);
  });

  it('says all faults', () => {
    assert.deepEqual(
      faults({ text: 1, lax: [], flag: 2 }).map(({ loc }) => loc[1]),
      ['text', 'lax', 'flag'],
    );
  });

  it('takes numbers as text', () => {
    assert.deepEqual(faults({ lax: '1.5', whole: '3' }), []);
  });

  it('says what zod alone finds', () => {
    const odd = z.object({ a: z.string().refine((text) => text === 'x', { error: 'it must be x' }) });
    assert.deepEqual(faults({ a: 'y' }, odd), [valueError(['a'], 'it must be x', 'y')]);
  });
});

describe('jsonError', () => {
  it('says where', () => {
    const detail = jsonError(new SyntaxError('Unexpected token x in JSON at position 7'));
    assert.deepEqual(
      [detail.type, detail.loc, detail.msg],
      ['json_invalid', ['body', 7], 'JSON decode error'],
    );
  });
});
