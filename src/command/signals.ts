/** Resolves at the first of these signals; a second one ends the process at once, as users expect. */
export function interrupted(signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM']): {
  signal: AbortSignal;
  received: Promise<NodeJS.Signals>;
  forget(): void;
} {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error(`received ${name}`));
    resolve(name);
  };
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    received: promise,
    forget() {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
