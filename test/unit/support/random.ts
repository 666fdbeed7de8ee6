/** Numbers in [0, 1) that are the same at each run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Cuts bytes into pieces of random sizes, empty ones among them. */
export function pieces(bytes: Buffer, random: () => number, largest: number): Buffer[] {
  const cut: Buffer[] = [];
  for (let begin = 0; begin < bytes.length;) {
    const size = Math.floor(random() * (largest + 1));
    cut.push(bytes.subarray(begin, begin + size));
    begin += size;
  }
  return cut;
}
