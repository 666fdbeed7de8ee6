/** Writes docs/configuration.md: the table of all settings, from their schema. */
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { settings, variableName } from '../src/config.ts';

interface Property {
  description?: string;
  default?: unknown;
}

const { properties } = z.toJSONSchema(settings, { io: 'input' }) as { properties: Record<string, Property> };

const rows = Object.entries(properties).map(([name, { description = '', default: value }]) => {
  // The replica's name has a default that differs on every machine.
  const shown =
    name === 'replicaName' ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
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
