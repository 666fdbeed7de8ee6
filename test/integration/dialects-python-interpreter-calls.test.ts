import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { called } from './dialects-python-interpreter-support.ts';

describe('what a tool does', () => {
  for (const [name, source, input, output] of [
    ['adds', 'def f(a: int, b: int) -> int:\n  return a + b', { a: 1, b: 2 }, 3],
    ['has defaults', 'def f(a: int = 5, *, b: int):\n  return a + b', { b: 2 }, 7],
    [
      'prints to nobody',
      'import os, sys\ndef f():\n  print(1)\n  os.system("echo 2")\n  sys.stdout.write("3")\n  return "only this"',
      {},
      'only this',
    ],
    [
      'prints to nobody, when it has returned, either',
      'import atexit, os, threading, time\ndef f():\n  atexit.register(print, 1)\n  atexit.register(os.system, "echo 2")\n  threading.Thread(target=lambda: (time.sleep(0.3), print(3, flush=True))).start()\n  return "only this"',
      {},
      'only this',
    ],
    [
      'gets what its annotations say',
      'import datetime, pathlib, typing\ndef f(a: datetime.datetime, b: set[int], c: typing.Optional[pathlib.Path], d: tuple[str, float], e: dict[str, bool], g: int | str, h: float, i: datetime.timedelta):\n  return [a.year, sorted(b), c.name, d, e, g, h, i.total_seconds()]',
      {
        a: '2000-01-01T00:00:00',
        b: [2, 1, 1],
        c: '/a/b',
        d: ['x', '1.5'],
        e: { y: 'yes' },
        g: '5',
        h: 3,
        i: 'P1DT1H',
      },
      [2000, [1, 2], 'b', ['x', 1.5], { y: true }, '5', 3, 90_000],
    ],
  ] as const) {
    it(name, async (t) => {
      const { status, body } = await called(t, source, input);
      assert.deepEqual([status, JSON.parse(String(body.tool_output_json))], [200, output]);
    });
  }

  it('gets dates and times in all forms that pydantic takes', async (t) => {
    const source =
      'import datetime as d\ndef f(moments: list[d.datetime], dates: list[d.date], times: list[d.time]):\n  return [[str(each) for each in all] for all in (moments, dates, times)]';
    const { body } = await called(t, source, {
      moments: ['1700000000', 1_700_000_000_000, 20_000_000_000, '2000-01-01'],
      dates: ['2000-01-01T00:00:00', '2000-01-01', 259_200, '259200'],
      times: [3661.5, '10:00'],
    });
    assert.deepEqual(JSON.parse(String(body.tool_output_json)), [
      [
        '2023-11-14 22:13:20+00:00',
        '2023-11-14 22:13:20+00:00',
        '2603-10-11 11:33:20+00:00',
        '2000-01-01 00:00:00',
      ],
      ['2000-01-01', '2000-01-01', '1970-01-04', '1970-01-04'],
      ['01:01:01.500000+00:00', '10:00:00'],
    ]);
  });

  it('gets no dates and times that are none', async (t) => {
    const source =
      'import datetime as d\ndef f(a: d.datetime, b: d.date, c: d.date, e: d.time, g: d.time): pass';
    const { status, body } = await called(t, source, {
      a: 1e30,
      b: '2000-01-01T01:00:00',
      c: true,
      e: 86_400,
      g: -1,
    });
    assert.equal(status, 400);
    assert.deepEqual(body.stderr?.replaceAll(/: .*/g, '').trimEnd().split('\n'), ['a', 'b', 'c', 'e', 'g']);
  });

  it('sees its variables', async (t) => {
    const source = 'import os\ndef f():\n  return os.environ["NAME"]';
    const { body } = await called(t, source, {}, { NAME: 'Ada' });
    assert.deepEqual(body, { tool_output_json: '"Ada"' });
  });

  for (const [name, source, input, stderr] of [
    [
      'raises',
      'def f():\n  return 1 / 0',
      {},
      'Traceback (most recent call last):\n  File "<tool>", line 2, in f\n    return 1 / 0\nZeroDivisionError: division by zero\n',
    ],
    [
      'is called wrongly',
      'def f(a: int, b: list[int], c: int):\n  return 1',
      { a: 'x', b: [1, 'y'], d: 1 },
      'd: Unexpected keyword argument\na: Input should be a valid integer\nb: at 1: Input should be a valid integer\nc: Missing required argument\n',
    ],
    ['exits', 'import sys\ndef f():\n  sys.exit(0)', {}, 'The tool ended without a result.\n'],
    ['exits at once', 'import os\ndef f():\n  os._exit(0)', {}, 'The tool ended without a result.\n'],
    ['is called with no object', 'def f(): pass', [], 'The input must be a JSON object.\n'],
    [
      'returns no JSON',
      'def f():\n  return {1}',
      {},
      'TypeError: Object of type set is not JSON serializable\n',
    ],
    [
      'is none',
      'x',
      {},
      `The tool source code must only define a single function, optionally preceded by imports.\n`,
    ],
  ] as const) {
    it(`fails where it ${name}`, async (t) => {
      const { status, body } = await called(t, source, input);
      // Which part of a line is marked is each Python's own.
      assert.deepEqual([status, body.stderr?.replaceAll(/^ +[~^]+\n/gm, '')], [400, stderr]);
    });
  }
});
