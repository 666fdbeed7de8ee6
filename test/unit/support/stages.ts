import type { Stages } from '../../../src/schedule/run.ts';
import type { SessionRuns } from '../../../src/schedule/turn.ts';

/** The stages that a run without files and packages passes by. */
export const passedBy: Pick<Stages, 'inputs' | 'environments' | 'collect' | 'hints'> & {
  sessions: SessionRuns;
} = {
  sessions: {
    elsewhere: () => Promise.resolve(undefined),
    turn: () => Promise.reject(new Error('no session')),
    cancelElsewhere: () => Promise.resolve(false),
  },
  inputs: async function* () {
    // There are none.
  },
  environments: {
    prepare: () => Promise.reject(new Error('nothing is required')),
    lost: () => Promise.resolve(),
  },
  collect: () => ({ add: () => Promise.resolve(), finish: () => Promise.resolve([]) }),
  hints: () => Promise.resolve([]),
};
