import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { normalise, requirementList } from '../../../src/request/requirements.ts';

const all = { packagesAllowed: [], packagesDenied: [] };

function faultsOf(requirements: unknown, settings: Parameters<typeof requirementList>[0] = all): string[] {
  const parsed = requirementList(settings).safeParse(requirements);
  return parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

const accepted: [requirement: string, normal: string][] = [
  ['numpy', 'numpy'],
  ['a', 'a'],
  ['7zip', '7zip'],
  ['Foo.Bar_baz--qux', 'foo-bar-baz-qux'],
  ['ruamel.yaml', 'ruamel-yaml'],
  ['discord.py', 'discord-py'],
  ['numpy==1.26.4', 'numpy==1.26.4'],
  ['numpy == 1.26.4', 'numpy==1.26.4'],
  ['numpy  >=1.20 , < 2', 'numpy<2,>=1.20'],
  ['numpy<2,>=1.20', 'numpy<2,>=1.20'],
  ['numpy!=1.0', 'numpy!=1.0'],
  ['numpy>1,<=2', 'numpy<=2,>1'],
  ['numpy~=1.4.2', 'numpy~=1.4.2'],
  ['numpy~=1.4', 'numpy~=1.4'],
  ['numpy===1.0', 'numpy===1.0'],
  ['numpy==1.*', 'numpy==1.*'],
  ['numpy!=1.2.*', 'numpy!=1.2.*'],
  ['numpy==1!2.0', 'numpy==1!2.0'],
  ['numpy==v1.0', 'numpy==v1.0'],
  ['numpy==1.0RC1', 'numpy==1.0rc1'],
  ['numpy==1.0.post1.dev2', 'numpy==1.0.post1.dev2'],
  ['numpy==1.0-1', 'numpy==1.0-1'],
  ['numpy>=1.0a1', 'numpy>=1.0a1'],
  ['torch==2.1.0+cpu', 'torch==2.1.0+cpu'],
  ['httpx[http2]', 'httpx[http2]'],
  ['httpx[]', 'httpx'],
  ['httpx [ socks , Http_2 ] >= 0.27', 'httpx[http-2,socks]>=0.27'],
];

const url = 'URLs are not taken: name the package and a version of it, as in "numpy==2.1.0"';
const path = 'paths are not taken: name the package and a version of it, as in "numpy==2.1.0"';
const option = 'options are not taken: name only packages, as in "numpy==2.1.0"';
const file = 'files are not taken: name the package and a version of it, as in "numpy==2.1.0"';
const variable = 'variables are not replaced: write the name and the version themselves';
const marker = 'markers are not taken: leave out ";" and what follows';
const comment = 'comments are not taken: leave out "#" and what follows';
const empty = 'it is empty: name a package, as in "numpy"';
const lines = 'it has more than one line: give each requirement by itself';
const space = 'there is a space before or after it: leave that out';
const noName =
  'it does not begin with the name of a package: letters, digits, ".", "-", "_", as in "numpy==2.1.0"';
const ascii = (code: string) => `the character U+${code} is not allowed: names and versions are plain ASCII`;
const version = (part: string, name = 'numpy') =>
  `${JSON.stringify(part)} is no version: write "${name}==1.2.3" or "${name}>=1.2,<2"`;

const refused: [requirement: string, fault: string][] = [
  ['', empty],
  ['   ', empty],
  ['\n', empty],
  [' numpy', space],
  ['numpy ', space],
  ['numpy\n', lines],
  ['numpy\n--index-url http://x', lines],
  ['numpy\rpandas', lines],
  ['numpy\u2028pandas', ascii('2028')],
  ['numpy\tpandas', ascii('0009')],
  ['numpy\0', ascii('0000')],
  ['--index-url x', option],
  ['--index-url=https://x', option],
  ['--extra-index-url=x', option],
  ['-r f', option],
  ['-rf', option],
  ['-e .', option],
  ['-c constraints', option],
  ['-', option],
  ['numpy --hash=sha256:00', version('--hash=sha256:00')],
  ['numpy==1 --hash=sha256:00', version('==1 --hash=sha256:00')],
  ['numpy --index-url=x', version('--index-url=x')],
  ['git+https://example.org/x', url],
  ['git+ssh://example.org/x', url],
  ['git+file:x', url],
  ['hg+http:x', url],
  ['a @ file:///x', url],
  ['a @ https://x', url],
  ['a@https:x', url],
  ['a[b] @ git+https://x', url],
  ['a @ ./x', url],
  ['https://example.org/x.whl', url],
  ['file:///x', url],
  ['file:x', url],
  ['C:x', url],
  ['./x', path],
  ['../x', path],
  ['/x', path],
  ['x/y', path],
  ['~/x', path],
  ['.', path],
  ['.[test]', path],
  ['x\\y', path],
  ['x.whl', file],
  ['x-1.0-py3-none-any.WHL', file],
  ['x.tar.gz', file],
  ['x.tar.zst', file],
  ['x.tgz', file],
  ['x.zip', file],
  ['requirements.txt', file],
  ['${HOME}', variable],
  ['$HOME', variable],
  ['numpy==${VERSION}', variable],
  ["a; python_version<'3'", marker],
  ['a>1;extra', marker],
  ['a # the best', comment],
  ['#a', comment],
  ['\u0430bc', ascii('0430')],
  ['num\u200bpy', ascii('200B')],
  ['nump\u0443', ascii('0443')],
  ['\u212aeras', ascii('212A')],
  ['reque\u017ft\u017f', ascii('017F')],
  ['numpy\uff1d\uff1d1', ascii('FF1D')],
  ['numpy==\u0661', ascii('0661')],
  ['\u{1f600}', ascii('1F600')],
  ['\ud800', ascii('D800')],
  ['_a', noName],
  ['=1', noName],
  ['==1.0', noName],
  ['[x]', noName],
  ['*', noName],
  ['!', noName],
  ['numpy pandas', version('pandas')],
  ['numpy,pandas', version('')],
  ['numpy 1.0', version('1.0')],
  ['numpy=1.0', version('=1.0')],
  ['numpy=>1', version('=>1')],
  ['numpy==', version('==')],
  ['numpy==1,', version('')],
  ['numpy==1,,<2', version('')],
  ['numpy==latest', version('==latest')],
  ['numpy==1.x', version('==1.x')],
  ['numpy==*', version('==*')],
  ['numpy==1*', version('==1*')],
  ['numpy>=1.*', version('>=1.*')],
  ['numpy~=1', version('~=1')],
  ['numpy~=1a1', version('~=1a1')],
  ['numpy~=1.*', version('~=1.*')],
  ['numpy===1.*', version('===1.*')],
  ['numpy===anything', version('===anything')],
  ['numpy>=1+local', version('>=1+local')],
  ['numpy==1+', version('==1+')],
  ['numpy==1..2', version('==1..2')],
  ['numpy==1.0.', version('==1.0.')],
  ['numpy(>=1)', version('(>=1)')],
  ['numpy==1 2', version('==1 2')],
  ['numpy-==1', version('-==1')],
  ['numpy[', version('[')],
  ['numpy[a', version('[a')],
  ['numpy]', version(']')],
  ['numpy[a][b]', version('[b]')],
  ['numpy[a,]', '"" is no name of an extra: write "numpy[one,two]"'],
  ['numpy[-a]', '"-a" is no name of an extra: write "numpy[one,two]"'],
  ['numpy[a b]', '"a b" is no name of an extra: write "numpy[one,two]"'],
  ["numpy'", version("'")],
  ['numpy`id`', version('`id`')],
  ['numpy|x', version('|x')],
  ['numpy==1|2', version('==1|2')],
];

describe('requirementList', () => {
  for (const [requirement, normal] of accepted) {
    it(`takes ${requirement}`, () => {
      assert.deepEqual(faultsOf([requirement]), []);
      assert.deepEqual(normalise([requirement]), [normal]);
      assert.deepEqual(normalise([normal]), [normal], 'what is normal stays so');
    });
  }

  for (const [requirement, fault] of refused) {
    it(`refuses ${JSON.stringify(requirement)}`, () => {
      assert.deepEqual(faultsOf(['numpy', requirement]), [`1: ${JSON.stringify(requirement)}: ${fault}`]);
      assert.throws(() => normalise([requirement]), { message: `${JSON.stringify(requirement)}: ${fault}` });
    });
  }

  it('takes 50 of 200 characters', () => {
    assert.deepEqual(faultsOf(Array.from({ length: 50 }, () => 'x'.repeat(200))), []);
    assert.deepEqual(faultsOf(['x'.repeat(201)]), ['0: the requirement is longer than 200 characters']);
    assert.deepEqual(faultsOf(Array.from({ length: 51 }, () => 'x')), [
      ': there are more than 50 requirements',
    ]);
    assert.deepEqual(requirementList(all).parse(undefined), []);
  });

  it('takes no time for what is made to take long', () => {
    for (const text of ['a'.repeat(199) + '!', 'a' + '-.'.repeat(99), 'a==1' + '.1'.repeat(97) + 'x']) {
      const began = performance.now();
      assert.equal(faultsOf([text]).length, 1);
      assert.ok(performance.now() - began < 2000);
    }
  });
});

describe('requirementList of an operator', () => {
  const notAllowed = (name: string) =>
    `0: ${JSON.stringify(name)}: the package "${name}" is not among those that this server allows (packagesAllowed)`;
  const denied = (name: string, packageName = name) =>
    `0: ${JSON.stringify(name)}: the package "${packageName}" is not allowed on this server (packagesDenied)`;
  const cases: [allowed: string[], deniedOnes: string[], name: string, fault: string | undefined][] = [
    [['numpy'], [], 'numpy', undefined],
    [['numpy'], [], 'NumPy>=1', undefined],
    [['numpy'], [], 'pandas', notAllowed('pandas')],
    [['numpy'], [], 'numpy-x', notAllowed('numpy-x')],
    [['Foo_Bar'], [], 'foo.bar', undefined],
    [['types-*'], [], 'types-requests', undefined],
    [['Types_*'], [], 'types.requests', undefined],
    [['types-*'], [], 'types', notAllowed('types')],
    [['types-*'], [], 'typesafe', notAllowed('typesafe')],
    [['*'], [], 'anything', undefined],
    [[], ['evil'], 'good', undefined],
    [[], ['evil'], 'E-vil', undefined],
    [[], ['evil'], 'Evil', denied('Evil', 'evil')],
    [[], ['evil-*'], 'evil__twin', denied('evil__twin', 'evil-twin')],
    [['evil'], ['evil'], 'evil', denied('evil')],
    [['*'], ['*'], 'x', denied('x')],
  ];
  for (const [packagesAllowed, packagesDenied, name, fault] of cases) {
    it(`allowed ${packagesAllowed.join() || 'all'}, denied ${packagesDenied.join() || 'none'}: ${name}`, () => {
      assert.deepEqual(faultsOf([name], { packagesAllowed, packagesDenied }), fault ? [fault] : []);
    });
  }
});

describe('normalise', () => {
  it('gives equal lists for equal sets', () => {
    const list = ['httpx[http2]>=0.27', 'numpy<2,>=1'];
    assert.deepEqual(normalise(['numpy >=1,<2', 'HTTPX[http2]>=0.27', 'Numpy>=1']), list);
    assert.deepEqual(normalise(['httpx >= 0.27', 'numpy>=1', 'numpy<2', 'httpx[http2]']), list);
    assert.deepEqual(normalise(list), list);
    assert.deepEqual(normalise([]), []);
  });
});
