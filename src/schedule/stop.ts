/** Why a run is stopped: the reason of the AbortSignal that stops it. */
export class Stop extends Error {
  override name = 'Stop';
}

export const stops = {
  cancelled: () => new Stop('The run was cancelled by its caller'),
  clientGone: () => new Stop('The run was cancelled because its caller went away'),
  sessionEnded: () => new Stop('The run was cancelled because its session was ended'),
  shutdown: () => new Stop('The run was cancelled because the server shuts down'),
};

/** A sentence without its full stop. */
export function stopReason(signal: AbortSignal): string {
  return signal.reason instanceof Stop ? signal.reason.message : stops.cancelled().message;
}
