/** Languages by the names that LibreChat has for them. */
const languages: Record<string, string> = {
  py: 'python',
  js: 'javascript',
  ts: 'typescript',
  c: 'c',
  cpp: 'c++',
  java: 'java',
  php: 'php',
  rs: 'rust',
  go: 'go',
  d: 'd',
  f90: 'fortran',
  r: 'rscript',
  bash: 'bash',
};

/** Our name of a language; undefined where LibreChat has none such. */
export function languageOf(lang: string): string | undefined {
  return Object.hasOwn(languages, lang) ? languages[lang] : undefined;
}
