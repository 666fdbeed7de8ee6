/** The value of the last expression and pictures, without the program's asking for them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useServer } from './harness/fixture.ts';
import { backends } from './harness/server.ts';

for (const backend of backends) {
  describe(`values: ${backend}`, { concurrency: 2 }, () => {
    const vivarium = useServer(backend);

    it('the last expression is the value, and stdout does not change', async () => {
      const { value, stdout, status } = await vivarium.run({ code: 'print("out")\nx = [1, 2]\nx + [3]' });
      assert.deepEqual([status, stdout, value], ['succeeded', 'out\n', { text: '[1, 2, 3]', html: null }]);
    });

    it('what has no value has none, and an error in it is shown as Python shows it', async () => {
      assert.equal((await vivarium.run({ code: 'print(1)' })).value, null);
      const { value, stderr, exit_code } = await vivarium.run({ code: 'x = 0\n1 + (2 / x)' });
      assert.deepEqual([value, exit_code], [null, 1]);
      assert.match(stderr, /File "\/workspace\/main.py", line 2, in <module>\n {4}1 \+ \(2 \/ x\)\n/);
    });

    it('a value with HTML brings both', async () => {
      const code =
        'class A:\n  def _repr_html_(self): return "<b>a</b>"\n  def __repr__(self): return "a"\nA()';
      assert.deepEqual((await vivarium.run({ code })).value, { text: 'a', html: '<b>a</b>' });
    });
  });
}

describe('pictures: kubernetes', { concurrency: 2 }, () => {
  const vivarium = useServer('kubernetes', { VIVARIUM_DEFAULT_CPU: '0.5' });

  it('figures that are shown or left open come back in their order, beside what Pillow shows', async () => {
    const { artifacts, status, stderr } = await vivarium.run({
      code: `import matplotlib.pyplot as plt
from PIL import Image
plt.plot([1, 2]); plt.show()
Image.new('RGB', (3, 2)).show()
plt.figure(figsize=(2, 1)); plt.plot([2, 1])`,
      timeout_seconds: 120,
    });
    assert.equal(status, 'succeeded', stderr);
    assert.deepEqual(
      artifacts.map(({ path, kind, mime_type, error }) => [path, kind, mime_type, error]),
      [1, 2, 3].map((n) => [`figure-${n}.png`, 'figure', 'image/png', null]),
    );
    const sizes = await Promise.all(
      artifacts.map(async ({ url }) => {
        const response = await fetch(new URL(url ?? '', vivarium.server.url));
        const bytes = Buffer.from(await response.arrayBuffer());
        return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
      }),
    );
    // matplotlib's are cut to what is on them.
    const [shown, pillow, open] = sizes;
    assert.deepEqual(pillow, [3, 2]);
    for (const size of [shown, open])
      assert.ok(
        size?.every((pixels) => pixels > 50),
        String(size),
      );
  });

  it('a table is a value as text and as HTML', async () => {
    const { value } = await vivarium.run({ code: 'import pandas as pd\npd.DataFrame({"a": [1]})' });
    assert.match(value?.text ?? '', /^ {3}a\n0 {2}1$/);
    assert.match(value?.html ?? '', /<table/);
  });
});
