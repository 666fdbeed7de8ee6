import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTurns } from '../../../../../src/serve/dialects/python-executor/turns.ts';

const { signal } = new AbortController();

describe('turns', () => {
  it('come one after the other, in the order of asking', async () => {
    const inTurn = createTurns();
    const first = Promise.withResolvers<undefined>();
    const done: string[] = [];
    const asked = [
      inTurn('ada', signal, async () => {
        await first.promise;
        done.push('first');
      }),
      ...['second', 'third'].map((name) =>
        inTurn('ada', signal, async () => {
          await Promise.resolve();
          done.push(name);
        }),
      ),
    ];
    await inTurn('bob', signal, () => Promise.resolve(done.push('of another')));
    assert.deepEqual(done, ['of another']);
    first.resolve(undefined);
    await Promise.all(asked);
    assert.deepEqual(done, ['of another', 'first', 'second', 'third']);
  });

  it('come after work that failed, and after who has gone', async () => {
    const inTurn = createTurns();
    const first = Promise.withResolvers<undefined>();
    const fails = assert.rejects(
      inTurn('ada', signal, () => first.promise),
      { message: 'why' },
    );
    const leaving = new AbortController();
    const leaves = assert.rejects(
      inTurn('ada', leaving.signal, () => assert.fail('nobody waits for it')),
      { message: 'away' },
    );
    const last = inTurn('ada', signal, () => Promise.resolve('done'));
    leaving.abort(new Error('away'));
    await leaves;
    first.reject(new Error('why'));
    await fails;
    assert.equal(await last, 'done');
  });

  it('are waited for by a bounded number', async () => {
    const inTurn = createTurns();
    const first = Promise.withResolvers<undefined>();
    const all = Array.from({ length: 17 }, () => inTurn('ada', signal, () => first.promise));
    await assert.rejects(
      inTurn('ada', signal, () => first.promise),
      { code: 'queue_full' },
    );
    first.resolve(undefined);
    await Promise.all(all);
    assert.equal(await inTurn('ada', signal, () => Promise.resolve(1)), 1);
  });
});
