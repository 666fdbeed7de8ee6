import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { createFacts, parseFacts } from '../../../src/environments/facts.ts';
import { buildProgram, factsProgram } from '../../../src/environments/programs.ts';
import { createCapture, type Capture } from '../../../src/output/capture.ts';
import { exit, numbered, out, started, err } from '../support/frames.ts';

const facts = {
  python: '3.13.5',
  platform: 'linux-x86_64',
  packages: [{ name: 'numpy', version: '2.1.0', modules: ['numpy'] }],
};

function captured(...frames: Parameters<typeof numbered>): Capture {
  const capture = createCapture(100_000);
  for (const frame of numbered(started, ...frames)) capture.add(frame);
  return capture.read();
}

const asker = { signal: new AbortController().signal, onProgress: () => undefined };

describe('createFacts', () => {
  it('asks each image once', async () => {
    const asked: string[] = [];
    const known = createFacts((image) => {
      asked.push(image);
      return Promise.resolve(captured(out(JSON.stringify(facts)), exit()));
    });
    const answers = await Promise.all(['a', 'a', 'b', 'a'].map((image) => known.of(image, asker)));
    assert.deepEqual(answers, Array(4).fill(facts));
    await known.of('a', asker);
    assert.deepEqual(asked, ['a', 'b']);
  });

  it('remembers no failure', async () => {
    let works = false;
    const known = createFacts(() =>
      works
        ? Promise.resolve(captured(out(JSON.stringify(facts)), exit()))
        : Promise.reject(new Error('no sandbox')),
    );
    await assert.rejects(known.of('a', asker), /no sandbox/);
    works = true;
    assert.deepEqual(await known.of('a', asker), facts);
  });
});

describe('parseFacts', () => {
  it('says what a program said that failed', () => {
    assert.throws(() => parseFacts(captured(err('Traceback\nImportError: x\n'), exit({ exit_code: 1 }))), {
      code: 'sandbox_failed',
      message: 'The sandbox did not say which packages it has. ImportError: x',
    });
  });

  it('takes no other answer', () => {
    assert.throws(() => parseFacts(captured(out('{}'), exit())), { code: 'sandbox_failed' });
    assert.throws(() => parseFacts(captured(out('nonsense'), exit())), { code: 'sandbox_failed' });
  });
});

describe('the programs', () => {
  const python = (code: string, input: string) =>
    execFileSync('/usr/bin/python3', ['-c', code], { input, stdio: ['pipe', 'pipe', 'ignore'] }).toString();

  it('of facts says what this Python has', () => {
    const stdout = python(factsProgram(), '');
    const { packages, python: version } = parseFacts(captured(out(stdout), exit()));
    assert.match(version, /^3\.\d+\.\d+/);
    assert.ok(packages.every(({ name, modules }) => name !== '' && Array.isArray(modules)));
  });

  it('of builds is one source with all its modules', () => {
    const request = {
      root: '/nonexistent',
      key: 'k',
      requirements: [],
      index: '',
      denied: [],
      evict: [],
      recorded: [],
    };
    const input = JSON.stringify({ ...request, max_bytes: 1, seconds: 1 });
    assert.throws(() => python(buildProgram(), input), { status: 2 });
  });
});
