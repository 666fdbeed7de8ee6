/** Time over which arrivals are averaged: a rate follows a change within a few of these. */
const windowSeconds = 20;

/** The rate of arrivals, from an average in which each counts less as it ages. Times are performance.now(). */
export function createDemand() {
  let perSecond = 0;
  let at = 0;
  const decayed = (now: number) => perSecond * Math.exp((at - now) / 1000 / windowSeconds);
  return {
    arrived(now: number): void {
      perSecond = decayed(now) + 1 / windowSeconds;
      at = now;
    },
    perSecond: decayed,
  };
}
