import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { fileSources, inputFiles } from '../../../src/request/files.ts';

const schema = inputFiles({ inputFiles: 4, inputBytes: 10, fetchHosts: ['example.org', '*.example.net'] });

function faultsOf(files: unknown): string[] {
  const parsed = schema.safeParse(files);
  return parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

describe('inputFiles', () => {
  it('takes each form of path and content', () => {
    const files = [
      { path: 'a.txt', content: 'ä' },
      { mountPath: 'data/b.bin', content_base64: 'AAH/' },
      { path: 'data/c', url: 'https://example.org/c?token=x' },
      { path: 'empty', content: '' },
    ];
    assert.deepEqual(schema.parse(files), files);
    assert.deepEqual(fileSources(schema.parse(files)), [
      { path: 'a.txt', bytes: Buffer.from([0xc3, 0xa4]) },
      { path: 'data/b.bin', bytes: Buffer.from([0, 1, 255]) },
      { path: 'data/c', url: 'https://example.org/c?token=x' },
      { path: 'empty', bytes: Buffer.alloc(0) },
    ]);
  });

  it('has no files by default', () => {
    assert.deepEqual(schema.parse(undefined), []);
  });

  const paths = [
    'a',
    '.hidden',
    '...',
    'a..b/c.',
    ' ',
    'ü/😀',
    'e\u0301',
    'a\nb',
    '~/x',
    'C:',
    'x'.repeat(255),
    `${`${'x'.repeat(255)}/`.repeat(3)}${'y'.repeat(256 - 1)}`,
  ];
  for (const path of paths) {
    it(`takes the path ${JSON.stringify(path.slice(0, 40))} as it is`, () => {
      const parsed = schema.parse([{ path, content: '' }]);
      assert.equal(fileSources(parsed)[0]?.path, path);
    });
  }

  const wrongPaths: [path: string, fault: string][] = [
    ['', 'the path is empty'],
    ['/a', 'the path is absolute: give it relative to /workspace/mounts'],
    ['/', 'the path is absolute: give it relative to /workspace/mounts'],
    ['a/', 'the path ends with "/": name a file, folders are made for it'],
    ['a//b', 'the path has "//" in it'],
    ['.', 'a path cannot have "." or ".." in it'],
    ['..', 'a path cannot have "." or ".." in it'],
    ['./a', 'a path cannot have "." or ".." in it'],
    ['a/../b', 'a path cannot have "." or ".." in it'],
    ['../../etc/passwd', 'a path cannot have "." or ".." in it'],
    ['a/.', 'a path cannot have "." or ".." in it'],
    ['a\0b', 'a path cannot hold a NUL'],
    ['a\\b', 'a path has no backslash: separate folders with "/"'],
    ['\ud800', 'the path holds half of a surrogate pair, which has no UTF-8 form'],
    ['x'.repeat(256), 'a part of the path is 256 bytes long; the limit is 255'],
    [`a/${'ä'.repeat(128)}/b`, 'a part of the path is 256 bytes long; the limit is 255'],
    ['a/'.repeat(512) + 'a', 'the path is 1025 bytes long; the limit is 1024'],
  ];
  for (const [path, fault] of wrongPaths) {
    it(`refuses the path ${JSON.stringify(path.slice(0, 40))}`, () => {
      for (const field of ['path', 'mountPath']) {
        const shown = JSON.stringify(path.length > 100 ? `${path.slice(0, 100)}…` : path);
        assert.deepEqual(faultsOf([{ [field]: path, content: '' }]), [
          `0.${field}: files[0] ${shown}: ${fault}`,
        ]);
      }
    });
  }

  const one = 'give one of `content`, `content_base64` and `url`';
  const wrong: [what: string, files: unknown, faults: string[]][] = [
    [
      'no path',
      [{ path: 'a', content: '' }, { content: '' }],
      ['1: files[1] has no `path`: give one of `path` and `mountPath`'],
    ],
    [
      'two paths',
      [{ path: 'a', mountPath: 'a', content: '' }],
      ['0: files[0] "a" has both `path` and `mountPath`: give one of `path` and `mountPath`'],
    ],
    ['no content', [{ path: 'a' }], [`0: files[0] "a" has no content: ${one}`]],
    [
      'two contents',
      [{ path: 'a', content: '', content_base64: '' }],
      [`0: files[0] "a" has \`content\` and \`content_base64\`: ${one}`],
    ],
    [
      'three contents',
      [{ path: 'a', content: '', content_base64: '', url: 'http://example.org' }],
      [`0: files[0] "a" has \`content\` and \`content_base64\` and \`url\`: ${one}`],
    ],
    [
      'half a character of content',
      [{ path: 'a', content: '\udc00' }],
      [
        '0.content: files[0] "a": the content holds half of a surrogate pair, which has no UTF-8 form: send it as `content_base64`',
      ],
    ],
    [
      'null for a field',
      [{ path: 'a', content: null }],
      ['0.content: Invalid input: expected string, received null'],
    ],
    ['an unknown field', [{ path: 'a', content: '', mode: 1 }], ['0: Unrecognized key: "mode"']],
    ['no list', { path: 'a' }, [': Invalid input: expected array, received object']],
    [
      'one path twice',
      [
        { path: 'a/b', content: '' },
        { path: 'c', content: '' },
        { mountPath: 'a/b', content: '' },
      ],
      ['2: files[2] "a/b" has the path of files[0]'],
    ],
    [
      'a file as a folder',
      [
        { path: 'a/b/c', content: '' },
        { path: 'a/b', content: '' },
      ],
      ['0: "a/b/c" of files[0] needs a folder where files[1] puts a file, "a/b"'],
    ],
    [
      'too many files',
      ['a', 'b', 'c', 'd', 'e'].map((path) => ({ path, content: '' })),
      [': there are more than 4 files, the most that this server takes'],
    ],
    [
      'too many bytes',
      [
        { path: 'a', content: 'ääää' },
        { path: 'b', content_base64: 'AAAA' },
      ],
      [': the files are 11 bytes long together; the limit is 10'],
    ],
  ];
  for (const [what, files, faults] of wrong) {
    it(`refuses ${what}`, () => {
      assert.deepEqual(faultsOf(files), faults);
    });
  }

  it('takes paths that only look alike, and as many files and bytes as there may be', () => {
    const files = ['a/b', 'a/bc', 'A/B', 'a/e\u0301'].map((path, index) => ({
      path,
      content: index === 0 ? 'x'.repeat(10) : '',
    }));
    assert.deepEqual(faultsOf(files), []);
  });

  const base64: [text: string, fault: RegExp | undefined][] = [
    ['', undefined],
    ['AA==', undefined],
    ['AAA=', undefined],
    ['+/+/', undefined],
    ['AA', /2 characters long, no multiple of 4/],
    ['AAAAA', /no multiple of 4/],
    ['AA==AA==', /"=" stands within/],
    ['A===', /its end is wrong/],
    ['====', /its end is wrong/],
    ['AB==', /its end is wrong/],
    ['AAB=', /its end is wrong/],
    ['-_-_', /character 1 of the content is not of the base64 alphabet/],
    ['AAA A', /character 4 /],
    ['AAAA\n', /character 5 /],
    ['data:,AAAA', /character 5 /],
    ['ÄAAA', /character 1 /],
  ];
  for (const [text, fault] of base64) {
    it(`${fault ? 'refuses' : 'takes'} the base64 ${JSON.stringify(text)}`, () => {
      const faults = faultsOf([{ path: 'a', content_base64: text }]);
      assert.equal(faults.length, fault ? 1 : 0, faults.join());
      if (fault) assert.match(faults[0] ?? '', fault);
    });
  }

  const urls: [url: string, fault: RegExp | undefined][] = [
    ['http://example.org', undefined],
    ['HTTPS://example.org:8443/a?b#c', undefined],
    // Which hosts may be named is judged when all of a request is known.
    ['http://other.org/', undefined],
    [`http://example.org/${'x'.repeat(2048 - 19)}`, undefined],
    [`http://example.org/${'x'.repeat(2048 - 18)}`, /2049 characters long; the limit is 2048/],
    ['', /cannot be read/],
    ['example.org/x', /cannot be read/],
    ['//example.org/x', /cannot be read/],
    ['http://', /cannot be read/],
    ['http://[fe80::1%25eth0]/', /cannot be read/],
    ['http://example.org:99999/', /cannot be read/],
    ['file:///etc/passwd', /"file:" is not fetched/],
    ['ftp://example.org/', /"ftp:" is not fetched/],
    ['s3://bucket/key', /"s3:" is not fetched/],
    ['data:,x', /"data:" is not fetched/],
    ['http://user:secret@example.org/', /user name or a password/],
    ['http://secret@example.org/', /user name or a password/],
  ];
  for (const [url, fault] of urls) {
    it(`${fault ? 'refuses' : 'takes'} the URL ${url.slice(0, 50)}`, () => {
      const faults = faultsOf([{ path: 'a', url }]);
      assert.equal(faults.length, fault ? 1 : 0, faults.join());
      if (fault) assert.match(faults[0] ?? '', fault);
      assert.doesNotMatch(faults.join(), /secret/);
    });
  }

  it('refuses URLs where none are fetched, and says so in its description', () => {
    const inline = inputFiles({ inputFiles: 4, inputBytes: 10, fetchHosts: [] });
    const parsed = inline.safeParse([{ path: 'a', url: 'http://example.org/' }]);
    assert.equal(
      parsed.error?.issues[0]?.message,
      'files[0] "a": URLs are not fetched on this server (its setting fetchHosts is empty): send the content',
    );
    assert.match(inline.description ?? '', /URLs are not fetched on this server/);
    assert.match(schema.description ?? '', /example\.org, \*\.example\.net/);
  });

  it('has a JSON Schema', () => {
    const json = z.toJSONSchema(z.strictObject({ files: schema }), { io: 'input' });
    const files = json.properties?.files as {
      maxItems: number;
      default: unknown;
      items: { properties: object };
    };
    assert.equal(files.maxItems, 4);
    assert.deepEqual(files.default, []);
    assert.deepEqual(Object.keys(files.items.properties), [
      'path',
      'mountPath',
      'content',
      'content_base64',
      'url',
    ]);
    assert.equal(json.required, undefined);
  });

  it('checks a large file without delay', () => {
    const large = inputFiles({ inputFiles: 1, inputBytes: 33_554_432, fetchHosts: [] });
    const content_base64 = Buffer.alloc(33_554_432, 7).toString('base64');
    assert.equal(large.safeParse([{ path: 'a', content_base64 }]).success, true);
  });
});
