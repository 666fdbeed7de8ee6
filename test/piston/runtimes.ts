import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import semver from 'semver';

export interface Runtime {
  language: string;
  version: string;
  aliases: string[];
  runtime?: string;
  /** Scripts that bash runs. */
  compile?: string;
  run: string;
  /** First in PATH. */
  programs: string;
}

const compileScript = `#!/usr/bin/env bash
case "$PISTON_LANGUAGE" in
c) for file; do mv -- "$file" "$file.c"; done; gcc -std=c11 *.c -lm ;;
c++) for file; do mv -- "$file" "$file.cpp"; done; g++ -std=c++17 *.cpp ;;
esac
chmod +x a.out
`;

/** The error of a signal names the line. */
const runScripts = {
  bash: '#!/usr/bin/env bash\n\nbash "$@"\n',
  python: '#!/usr/bin/env bash\n\npython3.10 "$@"\n',
  gcc: '#!/usr/bin/env bash\n\n\n\nshift\n./a.out "$@"\n',
  hello: '#!/usr/bin/env bash\ncat "$1"\n',
};

/** Puts packages below a folder, as Piston has them. */
export function installRuntimes(root: string): { runtimes: Runtime[]; hello: Runtime } {
  const install = (name: keyof typeof runScripts, version: string) => {
    const folder = join(root, 'piston/packages', name, version);
    const programs = join(folder, 'bin');
    const run = join(folder, 'run');
    mkdirSync(programs, { recursive: true });
    writeFileSync(run, runScripts[name]);
    return { run, programs };
  };
  const python = install('python', '3.10.0');
  const printed = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' });
  symlinkSync(printed.trim(), join(python.programs, 'python3.10'));
  const gcc = install('gcc', '10.2.0');
  const compile = join(gcc.run, '../compile');
  writeFileSync(compile, compileScript);
  const ofGcc = { version: '10.2.0', runtime: 'gcc', compile, ...gcc };
  return {
    runtimes: [
      { language: 'bash', version: '5.2.0', aliases: ['sh'], ...install('bash', '5.2.0') },
      { language: 'c', aliases: ['gcc'], ...ofGcc },
      { language: 'c++', aliases: ['cpp', 'g++'], ...ofGcc },
      {
        language: 'python',
        version: '3.10.0',
        aliases: ['py', 'py3', 'python3', 'python3.10'],
        ...python,
      },
    ],
    hello: { language: 'hello', version: '1.2.3', aliases: ['hi'], ...install('hello', '1.2.3') },
  };
}

export function findRuntime(runtimes: Runtime[], language: string, version: string): Runtime | undefined {
  return runtimes
    .filter((each) => each.language === language || each.aliases.includes(language))
    .filter((each) => semver.satisfies(each.version, version))
    .sort((one, other) => semver.rcompare(one.version, other.version))[0];
}

/** What GET runtimes says of one. */
export function describe({ language, version, aliases, runtime }: Runtime) {
  return { language, version, aliases, ...(runtime !== undefined && { runtime }) };
}
