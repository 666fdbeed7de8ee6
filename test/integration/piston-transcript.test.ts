import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ask, compare, recorded, servers, unhurried } from '../piston/replay.ts';
import { startPiston, type StandIn } from '../piston/server.ts';
import type { Stage } from '../piston/stage.ts';

/** What the stand-in is not asked, by the name in the transcript, and why. */
const deviations: Record<string, string> = {
  network: 'programs of the stand-in have the network of the tests, which ask nobody but themselves',
  'fork limit': 'a limit of processes counts those of the user who runs the tests, and root has none',
  'c, compile error over 1024 bytes':
    'how the output of a compiler falls into pieces, which are dropped whole, is a matter of time; tried below',
  'c, compile memory':
    'the stand-in looks at memory every few milliseconds, in which a small compiler may end; larger programs are asked',
  'where and who': 'the stand-in has no box: programs see the user and the folders of the tests',
};

describe('the stand-in of Piston', () => {
  it('deviates only where something is recorded', () => {
    const names = recorded.map(({ name }) => name);
    assert.deepEqual(
      Object.keys(deviations).filter((name) => !names.includes(name)),
      [],
    );
  });

  it('is asked with longer times only where those were recorded', () => {
    for (const [name, [hurried]] of Object.entries(unhurried)) {
      assert.ok(recorded.find((each) => each.name === name)?.request.body?.includes(hurried), name);
    }
  });

  it('ends a compiler that writes too much, and copies its end', async (t) => {
    const standIn = await startPiston();
    t.after(() => standIn.close());
    const each = recorded.find(({ name }) => name === 'c, compile error over 1024 bytes');
    assert.ok(each);
    const answer = JSON.parse((await ask(standIn.url, each)).body ?? '') as Record<'compile' | 'run', Stage>;
    const { signal, code, status, message } = answer.compile;
    assert.deepEqual([signal, code, status, message], ['SIGKILL', null, 'EL', 'stderr length exceeded']);
    assert.deepEqual(answer.run, answer.compile);
  });
});

for (const [server, options] of Object.entries(servers)) {
  describe(`the stand-in answers as Piston did: ${server}`, () => {
    let standIn: StandIn;
    before(async () => {
      standIn = await startPiston(options);
    });
    after(() => standIn.close());
    for (const each of recorded.filter((one) => one.server === server && !(one.name in deviations))) {
      it(each.name, async () => {
        const { said, expected } = compare(await ask(standIn.url, each), each, standIn);
        assert.deepEqual(said, expected);
      });
    }
  });
}
