/** Writes docs/configuration.md: the table of all settings, from their schema. */
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { variableName } from '../src/config.ts';
import { settings } from '../src/settings.ts';

interface Property {
  description?: string;
  default?: unknown;
}

const { properties } = z.toJSONSchema(settings, { io: 'input' }) as { properties: Record<string, Property> };

/** Their defaults differ from machine to machine. */
const ownDefaults: Record<string, string> = {
  replicaName: '',
  artifactStore: '`vivarium/artifacts` in `$XDG_STATE_HOME`',
  environmentsFolder:
    '`vivarium/environments` in `$XDG_CACHE_HOME`; for root `/var/cache/vivarium/environments`',
};

const rows = Object.entries(properties).map(([name, { description = '', default: value }]) => {
  const shown = ownDefaults[name] ?? `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
  return `| \`${name}\` | \`${variableName(name)}\` | ${shown === '``' ? '' : shown} | ${description} |`;
});

writeFileSync(
  new URL('../docs/configuration.md', import.meta.url),
  `# Configuration

Each setting is an environment variable, or a field of the JSON file that \`VIVARIUM_CONFIG\` names; the variable wins. In
the chart they are the values under \`config\`. Lists are JSON or comma-separated. A wrong or unknown setting refuses to start.

| setting | variable | default | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}

## Pools

A run that gets a sandbox of a pool does not wait for one to start. Each server has its own. The number of those that are
ready follows the requests, between \`min\` and \`max\`.

    VIVARIUM_POOLS='[{"name": "python", "min": 2, "max": 8, "preload": ["numpy", "pandas"]}]'

A run takes from the pool that has the image, RuntimeClass, CPUs and memory that it needs. A request that names a pool gets
these of the pool, but for limits that it sets itself; where no pool has them, its sandbox is made for it.
`,
);
