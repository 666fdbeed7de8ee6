/** Whether a version such as 3.10.0 is what a selector asks for (`3.x`, `^3.9.0`, `>=3.9 <4`, `~3.10 || 2.7.18`, `*`). */
export function satisfies(version: string, selector: string): boolean {
  const found = parse(version);
  if (found?.length !== 3) return false;
  return selector.split('||').some((range) => {
    const parts = range
      .trim()
      .replaceAll(/([<>=~^]) +/g, '$1')
      .split(/ +/);
    return parts.every((part) => isWithin(found, part));
  });
}

/** Newest first. */
export function newestFirst(one: string, other: string): number {
  return compare(parse(other) ?? [], parse(one) ?? []);
}

/** Its numbers, up to the first that may be anything; undefined for what is no version. */
function parse(text: string): number[] | undefined {
  if (!/^[v=]*(\d+|[xX*])(\.(\d+|[xX*])){0,2}$/.test(text)) return undefined;
  const numbers = text.replace(/^[v=]*/, '').split('.');
  const anything = numbers.findIndex((number) => !/^\d+$/.test(number));
  return (anything < 0 ? numbers : numbers.slice(0, anything)).map(Number);
}

function isWithin(found: number[], part: string): boolean {
  if (part === '') return true;
  const [, operator = '', rest = ''] = /^(<=|>=|<|>|~|\^|)(.*)$/.exec(part) ?? [];
  const wanted = parse(rest);
  if (!wanted) return false;
  const next = (place: number) => wanted.slice(0, place).concat((wanted[place] ?? 0) + 1);
  const isBetween = (end: number[]) => compare(found, wanted) >= 0 && compare(found, end) < 0;
  const last = wanted.length - 1;
  switch (operator) {
    case '<':
      return compare(found, wanted) < 0;
    case '>=':
      return compare(found, wanted) >= 0;
    case '<=':
      return wanted.length === 0 || compare(found, next(last)) < 0;
    case '>':
      return wanted.length > 0 && compare(found, next(last)) >= 0;
    case '~':
      return wanted.length === 0 || isBetween(next(Math.min(last, 1)));
    case '^':
      return wanted.length === 0 || isBetween(next(firstOf(wanted)));
    default:
      return wanted.length === 0 || isBetween(next(last));
  }
}

/** The place of the first number that is not 0, or the last place. */
function firstOf(numbers: number[]): number {
  const place = numbers.findIndex((number) => number > 0);
  return place < 0 ? numbers.length - 1 : place;
}

function compare(one: number[], other: number[]): number {
  const places = [0, 1, 2];
  const place = places.find((each) => (one[each] ?? 0) !== (other[each] ?? 0));
  return place === undefined ? 0 : (one[place] ?? 0) - (other[place] ?? 0);
}
