import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ask, compare, recorded, servers } from '../piston/replay.ts';
import { startPiston, type StandIn } from '../piston/server.ts';

/** What the stand-in is not asked, by the name in the transcript, and why. */
const deviations: Record<string, string> = {
  network: 'programs of the stand-in have the network of the tests, which ask nobody but themselves',
  'fork limit': 'a limit of processes counts those of the user who runs the tests, and root has none',
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
