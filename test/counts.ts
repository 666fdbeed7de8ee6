export interface Counts {
  passed: number;
  failed: number;
}

/**
 * Reads what a runner said at its end: a line "N passed, N failed", node's test runner, Python's unittest, or nothing,
 * where the command itself is the one check. A runner that fails without naming a failed test counts as one.
 */
export function counted(lines: string[], code: number): Counts {
  const found = fromPlainLine(lines) ?? fromNode(lines) ?? fromUnittest(lines);
  if (!found) return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  return code !== 0 && found.failed === 0 ? { ...found, failed: 1 } : found;
}

function lastNumber(lines: string[], pattern: RegExp): number | undefined {
  const match = lines.findLast((line) => pattern.test(line));
  return match === undefined ? undefined : Number(pattern.exec(match)?.[1]);
}

/** A cancelled, skipped or to-do test has not passed; it counts as failed, so that none goes unseen. */
function fromNode(lines: string[]): Counts | undefined {
  const count = (word: string) => lastNumber(lines, new RegExp(`^(?:ℹ|#) ${word} (\\d+)$`));
  const passed = count('pass');
  if (passed === undefined) return undefined;
  const others = ['fail', 'cancelled', 'skipped', 'todo'].map((word) => count(word) ?? 0);
  return { passed, failed: others.reduce((sum, number) => sum + number, 0) };
}

function fromUnittest(lines: string[]): Counts | undefined {
  const ran = lastNumber(lines, /^Ran (\d+) tests? in /);
  if (ran === undefined) return undefined;
  const verdict = lines.findLast((line) => /^(OK|FAILED)\b/.test(line)) ?? '';
  const failed = [...verdict.matchAll(/(?:failures|errors|skipped)=(\d+)/g)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
  return { passed: ran - failed, failed };
}

function fromPlainLine(lines: string[]): Counts | undefined {
  const match = lines.map((line) => /^(\d+) passed, (\d+) failed$/.exec(line)).findLast(Boolean);
  return match ? { passed: Number(match[1]), failed: Number(match[2]) } : undefined;
}
