const began = performance.now();

/** One line on stderr, with the minutes since the start. */
export function say(message: string): void {
  const seconds = Math.floor((performance.now() - began) / 1000);
  const time = `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}`;
  process.stderr.write(`${time}  ${message}\n`);
}
