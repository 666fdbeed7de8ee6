import { readFileSync } from 'node:fs';

/** Modules of builder/ that build.py imports, each after those that it imports itself. */
const modules = ['request', 'volume', 'uv', 'lock'];

/** The program that builds an environment: builder/build.py, and before it what it imports. */
export function buildProgram(): string {
  const sources = JSON.stringify(Object.fromEntries(modules.map((name) => [name, read(name)])));
  return `import json, sys, types
for name, source in json.loads(${JSON.stringify(sources)}).items():
    sys.modules[name] = types.ModuleType(name)
    exec(compile(source, f"{name}.py", "exec"), vars(sys.modules[name]))
${read('build')}`;
}

/** The program that says what packages there are. */
export function factsProgram(): string {
  return read('facts');
}

function read(name: string): string {
  return readFileSync(new URL(`../../builder/${name}.py`, import.meta.url), 'utf8');
}
