/**
 * Do something with each item, a limited number of them at a time, in order of their start.
 *
 * @returns the results in the order of the items
 */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results = new Map<number, Result>();
  const queue = items.entries();
  async function worker(): Promise<void> {
    // One iterator for all workers: each item is handed out once.
    for (const [index, item] of queue) results.set(index, await work(item));
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return items.flatMap((_, index) => {
    const result = results.get(index);
    return result === undefined ? [] : [result];
  });
}

/** Does something as soon as there is room for it. */
export type Limiter = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * Let a limited number of things be done at a time; the others wait, first come, first served.
 *
 * @param beforeWaiting is called for one that has to wait, with how many do already; it may throw to refuse it
 */
export function limiter(limit: number, beforeWaiting: (waiting: number) => void = () => undefined): Limiter {
  const waiting: (() => void)[] = [];
  let atWork = 0;
  async function enter(): Promise<void> {
    if (atWork < limit) {
      atWork++;
      return;
    }
    beforeWaiting(waiting.length);
    // Whoever leaves hands its place over, so that nobody who comes just then takes it.
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
  }
  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) atWork--;
    else next();
  }
  return async (work) => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
