import { z } from 'zod';

/** Bounds of Linux file systems, of a part and of the whole path below /workspace/mounts (bytes). */
const maxPartBytes = 255;
const maxPathBytes = 1024;
const maxUrlCharacters = 2048;

export interface InputFileSettings {
  /** Most files of a request. */
  inputFiles: number;
  /** Most bytes of all files of a request together. */
  inputBytes: number;
  /** Hosts that URLs may name; empty: no URLs. */
  fetchHosts: readonly string[];
}

/** A file of a request as it is checked: one path, and either its bytes or where they are. */
export interface FileSource {
  /** Below /workspace/mounts. */
  path: string;
  bytes?: Buffer;
  url?: string;
}

const file = z.strictObject({
  path: z
    .string()
    .optional()
    .describe('Where the file is put below /workspace/mounts: "data/a.csv". Folders are made.'),
  mountPath: z.string().optional().describe('The same as `path`; give one of the two.'),
  content: z
    .string()
    .optional()
    .describe('The file as text (UTF-8). Give one of `content`, `content_base64` and `url`.'),
  content_base64: z
    .string()
    .meta({ contentEncoding: 'base64' })
    .optional()
    .describe('The file as standard base64 with padding.'),
  url: z.string().optional().describe('Where the server fetches the file from (http or https).'),
});

export type InputFile = z.infer<typeof file>;
type InlineFile = Pick<InputFile, 'content' | 'content_base64'>;

/** The field `files`, given how much this server takes. Fetched bytes are counted when they come. */
export function inputFiles(settings: InputFileSettings) {
  return z
    .array(file)
    .max(settings.inputFiles, {
      error: `there are more than ${settings.inputFiles} files, the most that this server takes`,
      abort: true,
    })
    .superRefine((files, context) => {
      for (const { index, field, message } of faultsOf(files, settings)) {
        context.addIssue({ code: 'custom', path: field ? [index, field] : [index], message });
      }
      const inline = files.reduce((sum, given) => sum + inlineSize(given), 0);
      if (inline > settings.inputBytes) {
        context.addIssue({
          code: 'custom',
          message: `the files are ${inline} bytes long together; the limit is ${settings.inputBytes}`,
        });
      }
    })
    .default([])
    .describe(
      'Files that the program finds, read-only, below /workspace/mounts. ' +
        (settings.fetchHosts.length > 0
          ? `URLs may name these hosts: ${settings.fetchHosts.join(', ')}.`
          : 'URLs are not fetched on this server: send the content.'),
    );
}

/** What `inputFiles` has let pass, in its one form. */
export function fileSources(files: readonly InputFile[]): FileSource[] {
  return files.map((given) => {
    const bytes = inlineBytes(given);
    return {
      path: pathOf(given) ?? '',
      ...(bytes && { bytes }),
      ...(given.url !== undefined && { url: given.url }),
    };
  });
}

interface Fault {
  index: number;
  field?: keyof InputFile;
  message: string;
}

function faultsOf(files: readonly InputFile[], settings: InputFileSettings): Fault[] {
  return [
    ...files.flatMap((given, index) => [
      ...pathFaults(given, index),
      ...sourceFaults(given, index, settings),
    ]),
    ...clashes(files),
  ];
}

function pathFaults(given: InputFile, index: number): Fault[] {
  const fields = (['path', 'mountPath'] as const).filter((name) => given[name] !== undefined);
  const [field] = fields;
  if (!field || fields.length > 1) {
    const what = field ? 'has both `path` and `mountPath`' : 'has no `path`';
    return [{ index, message: `${nameOf(given, index)} ${what}: give one of \`path\` and \`mountPath\`` }];
  }
  const fault = pathFault(given[field] ?? '');
  return fault ? [{ index, field, message: `${nameOf(given, index)}: ${fault}` }] : [];
}

/** Why this is no path of a file below /workspace/mounts, if it is none. */
function pathFault(path: string): string | undefined {
  const parts = path.split('/');
  if (path === '') return 'the path is empty';
  if (!path.isWellFormed()) return 'the path holds half of a surrogate pair, which has no UTF-8 form';
  if (path.includes('\0')) return 'a path cannot hold a NUL';
  if (path.includes('\\')) return 'a path has no backslash: separate folders with "/"';
  if (path.startsWith('/')) return 'the path is absolute: give it relative to /workspace/mounts';
  if (path.endsWith('/')) return 'the path ends with "/": name a file, folders are made for it';
  if (parts.includes('')) return 'the path has "//" in it';
  if (parts.includes('.') || parts.includes('..')) return 'a path cannot have "." or ".." in it';
  if (Buffer.byteLength(path) > maxPathBytes)
    return `the path is ${Buffer.byteLength(path)} bytes long; the limit is ${maxPathBytes}`;
  const long = parts.find((part) => Buffer.byteLength(part) > maxPartBytes);
  if (long !== undefined)
    return `a part of the path is ${Buffer.byteLength(long)} bytes long; the limit is ${maxPartBytes}`;
  return undefined;
}

function sourceFaults(given: InputFile, index: number, settings: InputFileSettings): Fault[] {
  const fields = (['content', 'content_base64', 'url'] as const).filter((name) => given[name] !== undefined);
  const [field] = fields;
  if (!field || fields.length > 1) {
    const what = field ? `has ${fields.map((name) => `\`${name}\``).join(' and ')}` : 'has no content';
    const message = `${nameOf(given, index)} ${what}: give one of \`content\`, \`content_base64\` and \`url\``;
    return [{ index, message }];
  }
  const fault = field === 'url' ? urlFault(given.url ?? '', settings) : contentFault(given);
  return fault ? [{ index, field, message: `${nameOf(given, index)}: ${fault}` }] : [];
}

/** Why text or base64 cannot become the bytes of a file, if it cannot. */
export function contentFault({ content, content_base64 }: InlineFile): string | undefined {
  if (content !== undefined) return textFault(content);
  return content_base64 === undefined ? undefined : base64Fault(content_base64);
}

function textFault(text: string): string | undefined {
  if (text.isWellFormed()) return undefined;
  return 'the content holds half of a surrogate pair, which has no UTF-8 form: send it as `content_base64`';
}

function base64Fault(text: string): string | undefined {
  const wrong = /[^A-Za-z0-9+/=]/.exec(text);
  if (wrong)
    return `character ${wrong.index + 1} of the content is not of the base64 alphabet (A-Z a-z 0-9 + / =)`;
  if (text.length % 4 !== 0)
    return `the base64 is ${text.length} characters long, no multiple of 4: pad it with "="`;
  if (Buffer.from(text, 'base64').toString('base64') !== text)
    return 'the base64 does not decode to bytes that encode to it again: its end is wrong, or "=" stands within';
  return undefined;
}

/** Neither the URL nor its query is repeated: they may hold secrets. */
function urlFault(text: string, settings: InputFileSettings): string | undefined {
  if (settings.fetchHosts.length === 0)
    return 'URLs are not fetched on this server (its setting fetchHosts is empty): send the content';
  if (text.length > maxUrlCharacters)
    return `the URL is ${text.length} characters long; the limit is ${maxUrlCharacters}`;
  const url = URL.parse(text);
  if (!url) return 'the URL cannot be read: give it in full, as in "https://example.org/data.csv"';
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return `a URL of "${url.protocol}" is not fetched: give one of http or https`;
  if (url.username !== '' || url.password !== '')
    return 'the URL has a user name or a password in it, which are not sent: leave them out';
  return undefined;
}

/** Two files of one path, and files that would be folders of others. */
function clashes(files: readonly InputFile[]): Fault[] {
  const first = new Map<string, number>();
  const faults: Fault[] = [];
  for (const [index, given] of files.entries()) {
    const path = pathOf(given);
    if (path === undefined) continue;
    const earlier = first.get(path);
    if (earlier === undefined) first.set(path, index);
    else faults.push({ index, message: `${nameOf(given, index)} has the path of files[${earlier}]` });
  }
  for (const [path, index] of first) {
    const folder = foldersOf(path).find((each) => first.has(each));
    if (folder === undefined) continue;
    const message = `${quoted(path)} of files[${index}] needs a folder where files[${first.get(folder) ?? 0}] puts a file, ${quoted(folder)}`;
    faults.push({ index, message });
  }
  return faults;
}

/** "a/b/c" -> "a", "a/b". What is longer than a path may be is refused anyway. */
function foldersOf(path: string): string[] {
  if (path.length > maxPathBytes) return [];
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** The bytes of a file that is given inline. */
export function inlineBytes({ content, content_base64 }: InlineFile): Buffer | undefined {
  if (content !== undefined) return Buffer.from(content, 'utf8');
  return content_base64 === undefined ? undefined : Buffer.from(content_base64, 'base64');
}

/** How many they are, without making them. */
export function inlineSize({ content, content_base64 }: InlineFile): number {
  return Buffer.byteLength(content ?? '') + Buffer.byteLength(content_base64 ?? '', 'base64');
}

/** Where a file goes below mounts/; undefined only for what `inputFiles` refuses. */
export function pathOf({ path, mountPath }: InputFile): string | undefined {
  return path ?? mountPath;
}

function nameOf(given: InputFile, index: number): string {
  const path = pathOf(given);
  return path === undefined ? `files[${index}]` : `files[${index}] ${quoted(path)}`;
}

/** A path in a message. */
export function quoted(path: string): string {
  return JSON.stringify(path.length > 100 ? `${path.slice(0, 100)}…` : path);
}
