import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Piston } from '../../../../../src/piston/piston.ts';
import { changePackage } from '../../../../../src/serve/dialects/piston/packages.ts';
import { pythonRuntimes } from '../../../../../src/serve/dialects/piston/runtimes.ts';

const signal = new AbortController().signal;
const pythons = () => Promise.resolve(pythonRuntimes(['3.13.5', '3.10.0']));

/** A Piston that answers with what it was asked. */
const echo = {
  change: (method: string, wanted: object) => Promise.resolve({ status: 200, body: { method, ...wanted } }),
};

describe('a change of packages', () => {
  const refused: [
    name: string,
    body: unknown,
    server: object,
    method: 'POST' | 'DELETE',
    expected: object,
  ][] = [
    [
      'is forbidden where it is not allowed',
      { language: 'a', version: '1' },
      { allowed: false, piston: echo },
      'POST',
      {
        status: 403,
        message: 'Packages cannot be changed here: the operator has not allowed it (pistonPackages)',
      },
    ],
    [
      'names a package',
      undefined,
      { allowed: true, piston: echo },
      'POST',
      { status: 404, message: 'Requested package undefined-undefined does not exist' },
    ],
    [
      'finds none where there is no Piston',
      { language: 'a', version: '1' },
      { allowed: true, piston: undefined },
      'POST',
      { status: 404, message: 'Requested package a-1 does not exist' },
    ],
    [
      'finds Python there already',
      { language: 'python', version: '3.10.0' },
      { allowed: true, piston: echo },
      'POST',
      { status: 500, message: 'Already installed' },
    ],
    [
      'removes no Python',
      { language: 'python', version: '3.x' },
      { allowed: true, piston: echo },
      'DELETE',
      { status: 500, message: 'python-3.x is part of this server' },
    ],
    [
      'adds no Python',
      { language: 'python', version: '2.7.18' },
      { allowed: true, piston: echo },
      'POST',
      { status: 404, message: 'Requested package python-2.7.18 does not exist' },
    ],
  ];
  for (const [name, body, server, method, expected] of refused) {
    it(name, async () => {
      const given = {
        pythons,
        ...(server as { allowed: boolean; piston: Pick<Piston, 'change'> | undefined }),
      };
      await assert.rejects(changePackage(method, body, given, signal), expected);
    });
  }

  it('is for the Piston behind', async () => {
    const body = { language: 'a', version: '1.x', more: 1 };
    assert.deepEqual(await changePackage('DELETE', body, { pythons, allowed: true, piston: echo }, signal), {
      status: 200,
      body: { method: 'DELETE', language: 'a', version: '1.x' },
    });
  });
});
