/** What a Piston says that its most of a limit is, where that is why it refuses a job. It says so only then. */
export function limitOf(refusal: string): { name: string; most: number } | undefined {
  const [, name, most] = /^(\w+) cannot exceed the configured limit of (\d+)$/.exec(refusal) ?? [];
  return name === undefined ? undefined : { name, most: Number(most) };
}
