import type { ExecutionResult } from '../../../result/execution-result.ts';
import type { PackageList } from '../../../result/packages.ts';
import { signalNumber } from '../../../result/signal.ts';
import { notesOf, withLines } from '../notes.ts';

/** How a run ended, as Python's subprocess would tell it: a signal is a negative code. */
export function resultText(result: ExecutionResult, seconds: number): string {
  const { status, stdout, signal, message } = result;
  if (status === 'timed_out') return `Execution timed out after ${seconds} seconds`;
  if (!['succeeded', 'failed', 'out_of_memory'].includes(status)) return `Execution error: ${message}`;
  const stderr = withLines(result.stderr, notesOf(result, []));
  const code = signal === null ? (result.exit_code ?? -9) : -signalNumber(signal);
  const parts = [
    stdout !== '' && `Output:\n${stdout}\n`,
    stderr !== '' && `Errors:\n${stderr}\n`,
    code !== 0 && `Exit code: ${code}\n`,
  ].filter((part) => part !== false);
  return parts.length === 0 ? 'Code executed successfully (no output)' : parts.join('');
}

/** `isOfPackages`: another set of packages may do. */
export type Outcome =
  | { outcome: 'installed' }
  | { outcome: 'timed_out'; isOfPackages: false }
  | { outcome: 'failed'; why: string; isOfPackages: boolean };

export type Installation = { package: string } & Outcome;

export function installationText(installations: readonly Installation[]): string {
  return installations.map(installationLine).join('\n');
}

function installationLine(installation: Installation): string {
  switch (installation.outcome) {
    case 'installed':
      return `✓ Successfully installed ${installation.package}`;
    case 'timed_out':
      return `✗ Installation of ${installation.package} timed out`;
    case 'failed':
      return `✗ Failed to install ${installation.package}: ${installation.why}`;
  }
}

export function packagesText({ packages }: PackageList): string {
  return `Installed packages:\n${packages.map(({ name, version }) => `${name}==${version}`).join('\n')}`;
}
