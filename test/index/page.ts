/** The simple repository API: pages of a project's files, as HTML or JSON. */

/** A file of a project, as its page tells of it. */
export interface ProjectFile {
  filename: string;
  url: string;
  hashes: Record<string, string>;
  requiresPython: string | undefined;
  /** Whether `<url>.metadata` is there. */
  metadata: boolean;
  /** Why it was withdrawn, '' without a reason; undefined where it was not. */
  yanked: string | undefined;
}

export const jsonType = 'application/vnd.pypi.simple.v1+json';
const htmlType = 'application/vnd.pypi.simple.v1+html';
export const accepted = `${jsonType}, ${htmlType};q=0.2, text/html;q=0.1`;

interface JsonPage {
  files: {
    filename: string;
    url: string;
    hashes?: Record<string, string>;
    'requires-python'?: string | null;
    'core-metadata'?: boolean | object;
    yanked?: boolean | string;
  }[];
}

/** Reads a page; the URLs of its files are made absolute. */
export function parsePage(text: string, contentType: string, url: string): ProjectFile[] {
  return contentType.includes('json') ? fromJson(JSON.parse(text) as JsonPage, url) : fromHtml(text, url);
}

function fromJson({ files }: JsonPage, base: string): ProjectFile[] {
  return files.map((file) => ({
    filename: file.filename,
    url: new URL(file.url, base).href,
    hashes: file.hashes ?? {},
    requiresPython: file['requires-python'] ?? undefined,
    metadata: Boolean(file['core-metadata']),
    yanked: file.yanked === true ? '' : file.yanked === false ? undefined : file.yanked,
  }));
}

function fromHtml(text: string, base: string): ProjectFile[] {
  return [...text.matchAll(/<a\s([^>]*)>([^<]*)<\/a>/g)].flatMap(([, attributes = '', name = '']) => {
    const attribute = (wanted: string) => {
      const value = new RegExp(`(?:^|\\s)${wanted}="([^"]*)"`).exec(attributes)?.[1];
      return value === undefined ? undefined : unescaped(value);
    };
    const href = attribute('href');
    if (href === undefined) return [];
    const url = new URL(href, base);
    const [, kind, hash] = /^#(\w+)=([0-9a-f]+)$/.exec(url.hash) ?? [];
    url.hash = '';
    return {
      filename: unescaped(name.trim()),
      url: url.href,
      hashes: kind !== undefined && hash !== undefined ? { [kind]: hash } : {},
      requiresPython: attribute('data-requires-python'),
      metadata: (attribute('data-core-metadata') ?? attribute('data-dist-info-metadata')) !== undefined,
      yanked: attribute('data-yanked'),
    };
  });
}

/** A page as JSON. Files are told by URLs relative to it, and the metadata of every wheel is there. */
export function jsonPage(project: string, files: ProjectFile[]): string {
  return JSON.stringify({
    meta: { 'api-version': '1.0' },
    name: project,
    files: files.map(({ filename, hashes, requiresPython, yanked }) => ({
      filename,
      url: fileUrl(project, filename),
      hashes,
      'requires-python': requiresPython ?? null,
      'core-metadata': isWheel(filename),
      yanked: yanked === undefined ? false : yanked || true,
    })),
  });
}

/** The same page as HTML. */
export function htmlPage(project: string, files: ProjectFile[]): string {
  const links = files.map(({ filename, hashes, requiresPython, yanked }) => {
    const [hash] = Object.entries(hashes);
    const attributes = [
      `href="${escaped(fileUrl(project, filename) + (hash ? `#${hash[0]}=${hash[1]}` : ''))}"`,
      requiresPython !== undefined && `data-requires-python="${escaped(requiresPython)}"`,
      isWheel(filename) && 'data-core-metadata="true"',
      yanked !== undefined && `data-yanked="${escaped(yanked)}"`,
    ];
    return `<a ${attributes.filter(Boolean).join(' ')}>${escaped(filename)}</a><br>`;
  });
  return `<!DOCTYPE html>\n<title>${escaped(project)}</title>\n${links.join('\n')}\n`;
}

export const isWheel = (filename: string) => filename.endsWith('.whl');

/** From /simple/<project>/ to /files/<project>/<filename>. */
const fileUrl = (project: string, filename: string) =>
  `../../files/${project}/${encodeURIComponent(filename)}`;

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const characters: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" };

const escaped = (text: string) => text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? '');
const unescaped = (text: string) =>
  text.replaceAll(/&(#?\w+);/g, (entity, name: string) => characters[name] ?? entity);
