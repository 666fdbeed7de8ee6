/** What is to be undone, however far its beginning went. */
export interface Undo {
  /** Registers a step. */
  add(step: () => Promise<unknown>): void;
  /** Takes every step, the last one first. Throws the first error after that. */
  run(): Promise<void>;
}

export function openUndo(): Undo {
  const steps: (() => Promise<unknown>)[] = [];
  return {
    add(step) {
      steps.push(step);
    },
    async run() {
      const errors: unknown[] = [];
      for (let step = steps.pop(); step; step = steps.pop()) {
        await step().catch((error: unknown) => errors.push(error));
      }
      if (errors.length > 0) throw errors[0];
    },
  };
}
