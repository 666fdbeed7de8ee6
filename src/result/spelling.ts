/** The name that somebody may have meant: of those with the fewest slips the first. Undefined where none is near. */
export function nearest(written: string, names: Iterable<string>): string | undefined {
  const few = slipsAllowed(written);
  let best: { name: string; slips: number } | undefined;
  for (const name of names) {
    // One that is itself short has little in common with what differs from it.
    const most = Math.min(few, name.length < 4 ? 0 : few, best ? best.slips - 1 : few);
    if (name === written || most < 0 || Math.abs(name.length - written.length) > most) continue;
    const slips = slipsBetween(written.toLowerCase(), name.toLowerCase());
    if (slips <= most) best = { name, slips };
  }
  return best?.name;
}

function slipsAllowed({ length }: string): number {
  if (length > 40) return -1;
  return length < 3 ? 0 : length < 6 ? 1 : 2;
}

/** How many characters to add, drop, replace or swap with their neighbour. */
export function slipsBetween(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const replaced = at(row, j - 1) + (one[i - 1] === other[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swapped = isSwap ? at(before, j - 2) + 1 : Infinity;
      next.push(Math.min(at(row, j) + 1, at(next, j - 1) + 1, replaced, swapped));
    }
    before = row;
    row = next;
  }
  return at(row, other.length);
}

function at(row: number[], column: number): number {
  return row[column] ?? Infinity;
}
