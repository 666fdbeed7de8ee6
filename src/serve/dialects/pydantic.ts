import { z } from 'zod';

/** What is wrong with a body, as FastAPI says it with pydantic. */
export interface Detail {
  type: string;
  loc: (string | number)[];
  msg: string;
  input: unknown;
  ctx?: Record<string, unknown>;
}

type Issue = z.core.$ZodIssue;

/** What zod does not say of a number that is none: its message does. */
const integers = { strict: 'an integer', lax: 'an integer, or one as text' };
const laxly = 'a number, or one as text';

export const strictInteger = z.int({ error: integers.strict });
/** Numbers that may also come as text, as pydantic takes them. */
export const laxNumber = z.preprocess(asNumber, z.number({ error: laxly }));
export const laxInteger = z.preprocess(asNumber, z.int({ error: integers.lax }));

function asNumber(given: unknown): unknown {
  const number = typeof given === 'string' && given.trim() !== '' ? Number(given) : NaN;
  return Number.isFinite(number) ? number : given;
}

/** The faults of a body, in pydantic's words. */
export function detailsOf(error: z.ZodError, body: unknown): Detail[] {
  return error.issues.flatMap((issue) => detailOf(issue, body));
}

/** A fault that pydantic itself would not find. */
export function valueError(loc: (string | number)[], message: string, input: unknown): Detail {
  return {
    type: 'value_error',
    loc: ['body', ...loc],
    msg: `Value error, ${message}`,
    input,
    ctx: { error: {} },
  };
}

/** The body is no JSON. */
export function jsonError(error: Error): Detail {
  const position = Number(/position (\d+)/.exec(error.message)?.[1] ?? 0);
  return {
    type: 'json_invalid',
    loc: ['body', position],
    msg: 'JSON decode error',
    input: {},
    ctx: { error: error.message },
  };
}

function detailOf(issue: Issue, body: unknown): Detail[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  const input = at(body, path);
  const loc = ['body', ...path];
  switch (issue.code) {
    case 'invalid_type':
      if (input === undefined) return [missing(loc, body, path)];
      return [{ ...typeFault(issue, input, path.length === 0), loc, input }];
    case 'invalid_format': {
      const pattern = patternOf(issue);
      return [
        {
          type: 'string_pattern_mismatch',
          loc,
          msg: `String should match pattern '${pattern}'`,
          input,
          ctx: { pattern },
        },
      ];
    }
    case 'invalid_key':
      return issue.issues.flatMap((inner) =>
        detailOf(inner, path.at(-1)).map((detail) => ({ ...detail, loc: [...loc, '[key]'] })),
      );
    case 'invalid_value': {
      if (input === undefined) return [missing(loc, body, path)];
      const expected = list(issue.values.map((value) => `'${String(value)}'`));
      return [{ type: 'literal_error', loc, msg: `Input should be ${expected}`, input, ctx: { expected } }];
    }
    case 'too_small':
      return [
        {
          type: 'greater_than_equal',
          loc,
          msg: `Input should be greater than or equal to ${issue.minimum}`,
          input,
          ctx: { ge: Number(issue.minimum) },
        },
      ];
    default:
      return [valueError(path, issue.message, input)];
  }
}

function at(body: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, part)
        ? (value as Record<string | number, unknown>)[part]
        : undefined,
    body,
  );
}

function missing(loc: Detail['loc'], body: unknown, path: readonly (string | number)[]): Detail {
  const input = path.length === 0 ? null : at(body, path.slice(0, -1));
  return { type: 'missing', loc, msg: 'Field required', input };
}

const kinds: Record<string, { type: string; msg: string }> = {
  string: { type: 'string_type', msg: 'Input should be a valid string' },
  record: { type: 'dict_type', msg: 'Input should be a valid dictionary' },
  array: { type: 'list_type', msg: 'Input should be a valid list' },
  number: { type: 'float_type', msg: 'Input should be a valid number' },
  int: { type: 'int_type', msg: 'Input should be a valid integer' },
  boolean: { type: 'bool_type', msg: 'Input should be a valid boolean' },
  object: {
    type: 'model_attributes_type',
    msg: 'Input should be a valid dictionary or object to extract fields from',
  },
};

function typeFault(issue: Issue & { code: 'invalid_type' }, input: unknown, isBody: boolean) {
  const { expected, message } = issue;
  const isInteger = Object.values(integers).includes(message);
  if (isInteger && typeof input === 'number')
    return {
      type: 'int_from_float',
      msg: 'Input should be a valid integer, got a number with a fractional part',
    };
  const kind = kinds[isBody ? 'object' : isInteger ? 'int' : expected];
  if (typeof input === 'string' && (message === integers.lax || message === laxly)) {
    const [type, what] = isInteger ? ['int_parsing', 'an integer'] : ['float_parsing', 'a number'];
    return { type, msg: `${kind?.msg ?? ''}, unable to parse string as ${what}` };
  }
  return kind ?? { type: `${expected}_type`, msg: `Input should be a valid ${expected}` };
}

/** zod names a pattern as JavaScript writes it, between slashes. */
function patternOf(issue: Issue): string {
  const text = 'pattern' in issue && typeof issue.pattern === 'string' ? issue.pattern : '';
  return text.replace(/^\/(.*)\/[a-z]*$/s, '$1').replaceAll('\\/', '/');
}

/** "'a', 'b' or 'c'" */
function list(values: readonly string[]): string {
  const last = values.at(-1) ?? '';
  return values.length < 2 ? last : `${values.slice(0, -1).join(', ')} or ${last}`;
}
