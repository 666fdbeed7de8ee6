import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Piston, PistonPackage } from '../../../../../src/piston/piston.ts';
import { languagesOf } from '../../../../../src/serve/dialects/piston/languages.ts';
import { settings } from '../../../../../src/settings.ts';
import { complete } from '../../../../../src/config.ts';
import { createLog } from '../../../../../src/observe/log.ts';
import { ServiceError } from '../../../../../src/result/errors.ts';

const { signal } = new AbortController();
const c = { version: '10.2.0', aliases: [], runtime: 'gcc' };
const runtimes = [
  { language: 'c', ...c },
  { language: 'c++', ...c },
  { language: 'bash', version: '5.2.0', aliases: ['sh'] },
  { language: 'python', version: '3.10.0', aliases: [] },
];
const go: PistonPackage = { language: 'go', language_version: '1.16.2', installed: false };

function languages(pistonPackages: boolean, answers: Partial<Piston> = {}) {
  const piston = {
    runtimes: () => Promise.resolve(runtimes),
    packages: () => Promise.resolve([go]),
    ...answers,
  } satisfies Partial<Piston>;
  return languagesOf({
    offers: { listPackages: () => Promise.resolve({ python: '3.13.1', packages: [] }) } as never,
    piston: piston as unknown as Piston,
    settings: complete(settings.parse({ pistonPackages })),
    log: createLog('silent'),
  });
}

const installed = (language: string, language_version: string) => ({
  language,
  language_version,
  installed: true,
});
const pythons = [installed('python', '3.13.1'), installed('python', '3.10.0')];

describe('the packages of a Piston', () => {
  it('are asked for where callers may change them', async () => {
    assert.deepEqual(await languages(true).packages(signal), [...pythons, go]);
  });

  it('are what it runs where they may not: asked for more, a Piston without an index ends', async () => {
    const there = [installed('gcc', '10.2.0'), installed('bash', '5.2.0')];
    assert.deepEqual(await languages(false).packages(signal), [...pythons, ...there]);
  });

  it('are Python where that Piston fails, and so are the runtimes', async () => {
    const away = () => Promise.reject(new ServiceError('piston_unavailable', 'No answer.'));
    for (const mayChange of [true, false]) {
      const alone = languages(mayChange, { runtimes: away, packages: away });
      assert.deepEqual(await alone.packages(signal), pythons);
      const all = await alone.all(signal);
      assert.deepEqual(
        all.map(({ language, version }) => [language, version]),
        [
          ['python', '3.13.1'],
          ['python', '3.10.0'],
        ],
      );
    }
    const left = languages(false, { runtimes: () => Promise.reject(new Error('left')) });
    await assert.rejects(left.all(signal), /left/);
  });
});
