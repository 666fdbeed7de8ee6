import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFailures, rememberedSeconds } from '../../../src/environments/failures.ts';
import { ServiceError } from '../../../src/result/errors.ts';

const error = new ServiceError('build_failed', 'There is no such package.');

describe('failures', () => {
  it('are remembered for a while, each by its key', (t) => {
    let now = 1000;
    t.mock.method(performance, 'now', () => now);
    const failures = createFailures();
    failures.add('a', error);
    assert.deepEqual([failures.of('a'), failures.of('b')], [error, undefined]);
    now += rememberedSeconds * 1000;
    assert.equal(failures.of('a'), undefined);
  });

  it('make way for later ones', () => {
    const failures = createFailures();
    for (let n = 0; n <= 256; n += 1) failures.add(String(n), error);
    assert.deepEqual([failures.of('0'), failures.of('1'), failures.of('256')], [undefined, error, error]);
  });
});
