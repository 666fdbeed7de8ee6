import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { beside } from '../../../../src/serve/dialects/launch.ts';

const file = (path: string, content: string) => ({ path, bytes: Buffer.from(content) });

describe('a program beside the files of its client', () => {
  it('is the code of the run, where no file goes by that name', () => {
    const files = [file('a.txt', 'a'), file('b/main.py', 'b')];
    assert.deepEqual(beside(files, 'print(1)'), { code: 'print(1)', files });
  });

  it('has a name of its own, where a file goes by the engine’s, and that is there', () => {
    const { code, files } = beside([file('main.py', 'x = 1'), file('a', 'a')], 'import main');
    const [held, other, program] = files;
    assert.deepEqual(
      [held?.bytes.toString(), other, program?.bytes.toString()],
      ['x = 1', file('a', 'a'), 'import main'],
    );
    assert.match(program?.path ?? '', /^\.[0-9a-f]{16}\.py$/);
    assert.equal(
      code,
      `import os, sys
os.replace("${held?.path}", "main.py")
_ = os.execv(sys.executable, [sys.executable, "--", "${program?.path}", *sys.argv[1:]])
`,
    );
  });

  it('of bash is run by bash, and leaves nothing of Python', () => {
    const { code, files } = beside([], 'echo "$1"', 'bash');
    const [script] = files;
    assert.ok(script);
    assert.equal(script.bytes.toString(), 'echo "$1"');
    assert.equal(
      code,
      `import os, sys
os.unlink("main.py")
_ = os.execv("/bin/bash", ["bash", "--", "${script.path}", *sys.argv[1:]])
`,
    );
  });
});
