/** Renders the chart as an operator would. */
import { loadAllYaml } from '@kubernetes/client-node';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../..', import.meta.url);
const chart = new URL('helm/vivarium', root).pathname;

/** The chart with these values, or what helm says against them. */
export function helmTemplate(values: object, only?: string): { ok: boolean; output: string } {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-chart-'));
  const file = join(folder, 'values.json');
  try {
    writeFileSync(file, JSON.stringify(values));
    const args = ['template', 'vivarium', chart, '--namespace', 'vivarium', '--values', file];
    const { status, stdout, stderr } = spawnSync('helm', only ? [...args, '--show-only', only] : args, {
      encoding: 'utf8',
    });
    return { ok: status === 0, output: stdout + stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The first object of a template. */
export function render(values: object, template: string): unknown {
  const { ok, output } = helmTemplate(values, `templates/${template}`);
  assert.ok(ok, output);
  return (loadAllYaml(output) as unknown[])[0];
}
