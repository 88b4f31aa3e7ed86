/** How often a run looks around, in milliseconds: how late an abort condition is seen. */
const tickMs = 250;

/**
 * Do something several times a second, one at a time, until it is stopped.
 *
 * @returns stops it, when what is under way is over
 */
export function everyTick(work: () => Promise<void> | void, onError: (error: unknown) => void): () => Promise<void> {
  let underWay: Promise<void> | undefined;
  const timer = setInterval(() => {
    underWay ??= Promise.resolve()
      .then(work)
      .catch(onError)
      .finally(() => {
        underWay = undefined;
      });
  }, tickMs);
  return async () => {
    clearInterval(timer);
    await underWay;
  };
}
