import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hintsFor, missingModule, type About } from '../../../src/result/hints.ts';

const about: About = {
  result: {
    stdout_bytes: 1,
    stderr: '',
    value: null,
    left_out: { total: 0, files: [] },
  },
  mounts: [],
  requirements: [],
  packages: [{ name: 'pillow', version: '11.3.0', modules: ['PIL'] }],
  mayRequire: () => true,
  inSession: false,
};

const traceback = (
  last: string,
  frames = '  File "/workspace/main.py", line 1, in <module>\n    import x\n',
) => `Traceback (most recent call last):\n${frames}${last}\n`;

const noFile = (path: string) => traceback(`FileNotFoundError: [Errno 2] No such file or directory: ${path}`);

type Changes = Omit<Partial<About>, 'result'> & { result?: Partial<About['result']> };

const table: [what: string, changes: Changes, hints: string[]][] = [
  ['nothing to say', {}, []],
  [
    'a missing module',
    { result: { stderr: traceback("ModuleNotFoundError: No module named 'cv2'") } },
    ['Add "opencv-python-headless" to requirements.'],
  ],
  [
    'a missing module in a session',
    { inSession: true, result: { stderr: traceback("ModuleNotFoundError: No module named 'cv2'") } },
    [
      'Add "opencv-python-headless" to requirements.',
      'A session has the requirements that it was created with: for others create a new one.',
    ],
  ],
  [
    'a missing file in a session',
    { inSession: true, result: { stderr: noFile("'data.csv'") } },
    ['list_files says what is in the workspace; there is no data.csv.'],
  ],
  [
    'a module by its package’s name',
    { result: { stderr: traceback("ModuleNotFoundError: No module named 'pillow'") } },
    ['pillow is installed: import PIL.'],
  ],
  [
    'no knowledge of what is installed',
    { packages: undefined, result: { stderr: traceback("ModuleNotFoundError: No module named 'PIL'") } },
    ['Add "pillow" to requirements.'],
  ],
  [
    'a module among the files of the request',
    {
      mounts: ['helper/__init__.py', 'other.py'],
      result: { stderr: traceback("ModuleNotFoundError: No module named 'other'") },
    },
    [
      'mounts/other.py is not on the path of modules: begin with import sys; sys.path.insert(0, "/workspace/mounts").',
    ],
  ],
  [
    'what pandas can do without',
    {
      result: {
        stderr: traceback(
          "ImportError: Missing optional dependency 'pyarrow'. pyarrow is required for parquet support.",
        ),
      },
    },
    ['Add "pyarrow" to requirements.'],
  ],
  [
    'the same as pandas 3 says it',
    {
      result: {
        stderr: traceback('ImportError: `Import tables` failed.  Use pip or conda to install the x package.'),
      },
    },
    ['No package is known by the import name "tables": if you know the package, name it in requirements.'],
  ],
  [
    'a name that is not in a module',
    { result: { stderr: traceback("ImportError: cannot import name 'x' from 'y' (unknown location)") } },
    [],
  ],
  [
    'OpenCV for displays',
    {
      result: {
        stderr: traceback(
          'ImportError: libGL.so.1: cannot open shared object file: No such file or directory',
          '  File "/environments/x/lib/cv2/__init__.py", line 181, in <module>\n',
        ),
      },
    },
    ['Require "opencv-python-headless" in place of "opencv-python": it needs no display.'],
  ],
  [
    'another library that is missing',
    {
      result: { stderr: traceback('ImportError: libtk8.6.so: cannot open shared object file: No such file') },
    },
    [
      'The sandbox has no libtk8.6.so, which the package needs: packages that bring their libraries with them can be imported.',
    ],
  ],
  [
    'an earlier traceback that something else followed',
    {
      result: {
        stderr: `${traceback("ModuleNotFoundError: No module named 'cv2'")}\nDuring handling of the above exception, another exception occurred:\n\n${traceback('ValueError: no')}`,
      },
    },
    [],
  ],
  [
    'a traceback that an interpreter’s last words follow',
    { result: { stderr: `${traceback("ModuleNotFoundError: No module named 'cv2'")}bye\n` } },
    ['Add "opencv-python-headless" to requirements.'],
  ],
  [
    'what only looks like an exception',
    { result: { stderr: "ModuleNotFoundError: No module named 'cv2'\n" } },
    [],
  ],
  [
    'a traceback that begins before what is looked at',
    {
      result: {
        stderr: traceback("ModuleNotFoundError: No module named 'cv2'", '  File "x", line 1\n'.repeat(1000)),
      },
    },
    ['Add "opencv-python-headless" to requirements.'],
  ],
  [
    'a traceback that ends before what is looked at',
    { result: { stderr: `${traceback("ModuleNotFoundError: No module named 'cv2'")}${'x\n'.repeat(5000)}` } },
    [],
  ],
  [
    'a missing file where there are none',
    { result: { stderr: noFile("'data.csv'") } },
    ['No files came with the request: those that it names in `files` are below mounts/.'],
  ],
  [
    'a missing file that is below mounts/',
    { mounts: ['a.txt', 'in/Data.csv'], result: { stderr: noFile("'/tmp/data.csv'") } },
    ['Read it at mounts/in/Data.csv.'],
  ],
  [
    'a missing file of which there are two',
    { mounts: ['a/data.csv', 'b/data.csv'], result: { stderr: noFile("'data.csv'") } },
    ['Read it at mounts/a/data.csv or mounts/b/data.csv.'],
  ],
  [
    'the right path from another folder',
    { mounts: ['data.csv'], result: { stderr: noFile("'mounts/data.csv'") } },
    ['Read it at /workspace/mounts/data.csv.'],
  ],
  [
    'a missing file that is not there',
    { mounts: ['a.txt', 'b.txt'], result: { stderr: noFile("'c.txt'") } },
    ['Files of the request are below mounts/. There are: mounts/a.txt, mounts/b.txt.'],
  ],
  [
    'a missing file among many',
    {
      mounts: Array.from({ length: 23 }, (_, index) => `f${index}`),
      result: { stderr: noFile("b'c.txt'") },
    },
    [
      `Files of the request are below mounts/. There are: ${Array.from({ length: 20 }, (_, index) => `mounts/f${index}`).join(', ')} and 3 more.`,
    ],
  ],
  [
    'a missing file as numpy says it',
    { mounts: ['x.txt'], result: { stderr: traceback('FileNotFoundError: x.txt not found.') } },
    ['Read it at mounts/x.txt.'],
  ],
  [
    'a missing program',
    {
      result: {
        stderr: traceback(
          "FileNotFoundError: [Errno 2] No such file or directory: 'ffmpeg'",
          '  File "/usr/lib/python3.13/subprocess.py", line 1, in _execute_child\n',
        ),
      },
    },
    ['There is no program "ffmpeg" in the sandbox.'],
  ],
  [
    'a value and no output',
    { result: { stdout_bytes: 0, value: { text: '1', html: null } } },
    ['Nothing was printed; the value of the last expression is in `value`.'],
  ],
  ['neither output nor a value', { result: { stdout_bytes: 0 } }, []],
  [
    'files that were left out',
    {
      result: {
        left_out: {
          total: 104,
          files: [
            { path: 'a', reason: 'size' },
            { path: 'b', reason: 'type' },
            { path: 'c', reason: 'size' },
          ],
        },
      },
    },
    [
      '104 files that the run left were left out: over the size that is kept (2), no regular file (1), not named here (101).',
    ],
  ],
];

describe('hintsFor', () => {
  for (const [what, { result, ...changes }, hints] of table) {
    it(what, () => {
      assert.deepEqual(hintsFor({ ...about, ...changes, result: { ...about.result, ...result } }), hints);
    });
  }
});

describe('missingModule', () => {
  it('names the module', () => {
    assert.equal(
      missingModule(traceback("ModuleNotFoundError: No module named 'a.b'; 'a' is no package")),
      'a.b',
    );
    assert.equal(
      missingModule(traceback(`ModuleNotFoundError: No module named '${'a'.repeat(101)}'`)),
      undefined,
    );
    assert.equal(missingModule(''), undefined);
  });
});
