import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AskedFile } from '../../../../../src/serve/dialects/piston/ask.ts';
import { programOf } from '../../../../../src/serve/dialects/piston/program.ts';

const file = (name: string, content: string, encoding: AskedFile['encoding'] = 'utf8'): AskedFile => ({
  name,
  isNamed: !/^file\d\.code$/.test(name),
  content,
  encoding,
});

function placed(...files: AskedFile[]) {
  const program = programOf(files);
  return {
    code: program.code,
    files: program.files.map(({ path, bytes }) => [path, bytes.toString('latin1')]),
  };
}

describe('a program for Piston', () => {
  it('is its only file, where that has no name or the one that the engine gives', () => {
    assert.deepEqual(placed(file('file0.code', 'a')), { code: 'a', files: [] });
    assert.deepEqual(placed(file('main.py', 'a')), { code: 'a', files: [] });
  });

  it('has its other files beside it', () => {
    const files = [
      file('d.bin', '00ff', 'hex'),
      file('main.py', 'a'),
      file('m/n.py', 'b'),
      file('e', 'YQ==', 'base64'),
    ];
    assert.deepEqual(placed(...files), {
      code: 'a',
      files: [
        ['d.bin', '\0\xff'],
        ['m/n.py', 'b'],
        ['e', 'a'],
      ],
    });
  });

  it('is run by its own name, which is no option', () => {
    for (const name of ['a.py', '-c', 'é"\n.py']) {
      const { code, files } = placed(file(name, 'a'));
      assert.deepEqual(files, [[name, Buffer.from('a').toString('latin1')]]);
      assert.equal(
        code,
        `import os, sys\nos.unlink("main.py")\n_ = os.execv(sys.executable, [sys.executable, "--", ${JSON.stringify(name)}, *sys.argv[1:]])\n`,
      );
    }
    assert.match(placed(file('file0.code', 'a'), file('file1.code', 'b')).code, /"--", "file0\.code"/);
  });

  it('is the first file that is text', () => {
    assert.match(placed(file('file0.code', 'AP8Q', 'base64'), file('file1.code', 'b')).code, /"file1\.code"/);
  });

  it('gives way to a file of the name that the engine gives', () => {
    const { code, files } = placed(file('a.py', 'a'), file('main.py', 'b'));
    const held = /os\.replace\("(\.[0-9a-f]{16})", "main\.py"\)/.exec(code)?.[1];
    assert.deepEqual(files, [
      ['a.py', 'a'],
      [held, 'b'],
    ]);
  });

  it('is the last of several files of its name', () => {
    assert.deepEqual(placed(file('a.py', '1'), file('a.py', '2')).files, [['a.py', '2']]);
    assert.deepEqual(placed(file('main.py', '1'), file('main.py', '2')), { code: '2', files: [] });
  });
});
