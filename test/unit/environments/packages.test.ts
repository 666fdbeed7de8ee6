import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPackageLists } from '../../../src/environments/packages.ts';
import { createCapture } from '../../../src/output/capture.ts';
import { exit, numbered, out, started } from '../support/frames.ts';

const asker = { signal: new AbortController().signal, onProgress: () => undefined };
const numpy = { name: 'numpy', version: '2.1.0' };
const facts = { python: '3.13.5', platform: 'linux-x86_64', packages: [{ ...numpy, modules: ['numpy'] }] };

/** Lists of environments whose key is their requirement; what sandboxes were asked for, and what was lost. */
function listsOf({
  missing = 0,
  failing = 0,
  wait,
}: { missing?: number; failing?: number; wait?: Promise<void> } = {}) {
  const seen = { asked: [] as (string | null)[], lost: [] as string[], created: 'today' };
  let left = { missing, failing };
  const lists = createPackageLists(
    {
      prepare: ([key = '']) =>
        Promise.resolve({ key, path: `/environments/${key}`, shadows: [], created: seen.created }),
      lost: (key) => Promise.resolve(void seen.lost.push(key)),
      facts: () => Promise.resolve(facts),
    },
    async (image, { environment }) => {
      assert.equal(image, 'image');
      seen.asked.push(environment);
      await wait;
      left = { missing: left.missing - 1, failing: left.failing - 1 };
      const capture = createCapture(10_000);
      const end =
        left.missing >= 0
          ? [exit({ cause: 'environment_missing', exit_code: null })]
          : [started, out(JSON.stringify(facts)), exit({ exit_code: left.failing >= 0 ? 1 : 0 })];
      for (const frame of numbered(...end)) capture.add(frame);
      return capture.read();
    },
    'image',
  );
  return { lists, seen };
}

describe('createPackageLists', () => {
  it('knows of the image what is known already', async () => {
    const { lists, seen } = listsOf();
    assert.deepEqual(await lists.of([], asker), [numpy]);
    assert.deepEqual(seen.asked, []);
  });

  it('asks a sandbox once of each environment, and again when that was built again', async () => {
    const { lists, seen } = listsOf();
    assert.deepEqual(await Promise.all([lists.of(['x'], asker), lists.of(['x'], asker)]), [[numpy], [numpy]]);
    await lists.of(['x'], asker);
    assert.deepEqual(seen.asked, ['/environments/x']);
    seen.created = 'tomorrow';
    await lists.of(['x'], asker);
    assert.equal(seen.asked.length, 2);
  });

  it('remembers no failure, and no more than a hundred', async () => {
    const { lists, seen } = listsOf({ failing: 1 });
    await assert.rejects(lists.of(['x'], asker), { code: 'sandbox_failed' });
    for (let at = 0; at < 101; at += 1) await lists.of([`x${at}`], asker);
    await lists.of(['x100'], asker);
    assert.equal(seen.asked.length, 102);
    await lists.of(['x0'], asker);
    assert.equal(seen.asked.length, 103);
  });

  it('has two sandboxes at most at one time, and a bounded queue', async () => {
    const { promise: wait, resolve } = Promise.withResolvers<undefined>();
    const { lists, seen } = listsOf({ wait });
    const answers = Array.from({ length: 18 }, (_, at) => lists.of([`x${at}`], asker));
    await assert.rejects(lists.of(['beyond'], asker), {
      code: 'queue_full',
      message: /2 lists of packages are being made and 16 wait/,
    });
    assert.equal(seen.asked.length, 2);
    resolve(undefined);
    await Promise.all(answers);
    assert.equal(seen.asked.length, 18);
  });

  it('has an environment built again that a sandbox does not find, once', async () => {
    const once = listsOf({ missing: 1 });
    assert.deepEqual(await once.lists.of(['x'], asker), [numpy]);
    assert.deepEqual([once.seen.lost, once.seen.asked.length], [['x'], 2]);
    const always = listsOf({ missing: 100 });
    await assert.rejects(always.lists.of(['x'], asker), { code: 'sandbox_failed' });
    assert.equal(always.seen.asked.length, 2);
  });
});
