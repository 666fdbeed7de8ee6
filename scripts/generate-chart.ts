/**
 * Writes what the chart takes from the code, and what is made from its annotated values.yaml: the Role's rules, the
 * settings' defaults, the ports of dialects, the schema of the values and the tables of the chart's README.
 */
import { loadYaml } from '@kubernetes/client-node';
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { settings } from '../src/settings.ts';
import { environmentPermissions, permissions, type Permission } from '../src/sandbox/permissions.ts';
import { dialects } from '../src/serve/dialects/all.ts';

interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, Schema>;
  [keyword: string]: unknown;
}

/** A value of values.yaml that has a description: everything below it belongs to it. */
interface Value {
  path: string;
  description: string;
  default: unknown;
  schema: Schema;
}

const chart = new URL('../helm/vivarium/', import.meta.url);

/** Settings that are no values, because the chart itself knows them, or makes them of other values. */
const setByChart = [
  'backend',
  'host',
  'port',
  'probeHost',
  'probePort',
  'namespace',
  'replicaName',
  'artifactStore',
  's3Endpoint',
  's3Region',
  's3PathStyle',
  's3CaFile',
  'environmentsClaim',
  'environmentsFolder',
  'packageIndexCredentials',
  'advertiseUrl',
  'pistonUrl',
  'pistonToken',
];

const config = z.toJSONSchema(settings, { io: 'input', target: 'draft-7' }) as Schema & {
  properties: Record<string, Schema>;
};
const settingSchemas = Object.fromEntries(
  Object.entries(config.properties).filter(([name]) => !setByChart.includes(name)),
);
Object.assign(settingSchemas.allowedHosts ?? {}, {
  default: [],
  description:
    'Host names that requests may carry, beside those of the Service, of the ingress and localhost; `*` allows all.',
});

const values = readValues(readFileSync(new URL('values.yaml', chart), 'utf8'));
const configured = values.find(({ path }) => path === 'config')?.default as Record<string, unknown>;

write('files/role-rules.yaml', rules(permissions));
write('files/role-rules-environments.yaml', rules(environmentPermissions));
write(
  'files/settings.json',
  json(Object.fromEntries(Object.entries(settingSchemas).map(([name, schema]) => [name, schema.default]))),
);
write('files/dialects.json', json(Object.fromEntries(dialects.map(({ name, port }) => [name, port]))));
write('values.schema.json', json({ $schema: 'http://json-schema.org/draft-07/schema#', ...valuesSchema() }));
writeTables({
  values: table(values.map(({ path, default: value, description }) => [path, value, description])),
  settings: table(
    Object.entries(settingSchemas).map(([name, schema]) => [
      name,
      configured[name] ?? schema.default,
      schema.description ?? '',
    ]),
  ),
});

/** Reads the values with their comments: `# -- meaning`, and `# @schema {…}` for what the default does not tell. */
function readValues(text: string): Value[] {
  const found: Value[] = [];
  const parents: { indent: number; key: string; documented: boolean }[] = [];
  let comments: string[] = [];
  for (const line of text.split('\n')) {
    const comment = /^ *# ?(.*)$/.exec(line)?.[1];
    const [, space, key] = /^( *)([A-Za-z][A-Za-z0-9]*):/.exec(line) ?? [];
    if (comment !== undefined) comments.push(comment);
    if (line === '') comments = [];
    if (space === undefined || key === undefined) continue;

    while ((parents.at(-1)?.indent ?? -1) >= space.length) parents.pop();
    const documented = parents.some((parent) => parent.documented);
    const path = [...parents.map((parent) => parent.key), key];
    const description = comments.find((text) => text.startsWith('-- '))?.slice(3);
    const hint = comments.find((text) => text.startsWith('@schema '))?.slice(8);
    if (description !== undefined) {
      const value = path.reduce<unknown>(
        (all, part) => (all as Record<string, unknown>)[part],
        loadYaml(text),
      );
      const schema = { type: typeOf(value), description, ...(JSON.parse(hint ?? '{}') as Schema) };
      found.push({ path: path.join('.'), description, default: value, schema });
    } else if (!documented && !line.endsWith(':')) {
      throw new Error(`values.yaml: ${path.join('.')} has no "# --" line`);
    }
    parents.push({ indent: space.length, key, documented: description !== undefined });
    comments = [];
  }
  return found;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' ? 'integer' : typeof value;
}

function valuesSchema(): Schema {
  const strict = (properties: Record<string, Schema>): Schema => ({
    type: 'object',
    additionalProperties: false,
    properties,
  });
  // Helm hands `global` to every chart that is a part of another.
  const root = strict({ global: { type: 'object' } });
  for (const { path, schema } of values) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const parent = keys.reduce((node, key) => ((node.properties ??= {})[key] ??= strict({})), root);
    (parent.properties ??= {})[last] =
      path === 'config' ? { ...strict(settingSchemas), description: schema.description ?? '' } : schema;
  }
  return root;
}

function table(rows: [name: string, value: unknown, description: string][]): string {
  const cells = rows.map(([name, value, text]) => `| \`${name}\` | \`${JSON.stringify(value)}\` | ${text} |`);
  return ['| name | default | meaning |', '| --- | --- | --- |', ...cells].join('\n');
}

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->` in the README. */
function writeTables(tables: Record<string, string>): void {
  const readme = readFileSync(new URL('README.md', chart), 'utf8');
  const filled = Object.entries(tables).reduce((text, [name, rows]) => {
    const [before, rest] = text.split(`<!-- ${name} -->`);
    const after = rest?.split(`<!-- /${name} -->`)[1];
    if (after === undefined) throw new Error(`README.md has no place for the table "${name}"`);
    return `${before}<!-- ${name} -->\n${rows}\n<!-- /${name} -->${after}`;
  }, readme);
  write('README.md', filled);
}

/** Rules of a Role. */
function rules(table: readonly Permission[]): string {
  return table
    .map(({ group, resource, verbs, names, why }) =>
      [
        `# ${why}`,
        `- apiGroups: ['${group}']`,
        `  resources: [${resource}]`,
        ...(names ? [`  resourceNames: [${names.join(', ')}]`] : []),
        `  verbs: [${verbs.join(', ')}]\n`,
      ].join('\n'),
    )
    .join('');
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function write(path: string, text: string): void {
  writeFileSync(new URL(path, chart), text);
}
