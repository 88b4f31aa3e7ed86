/** Wait so many milliseconds; 0 or less is one turn of the event loop, where a timer would take a whole millisecond. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (ms > 0) setTimeout(resolve, ms);
    else setImmediate(resolve);
  });
}

/** Wait so many milliseconds (at least one), or until the signal says that waiting is over. */
export function delayUnless(over: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, Math.max(ms, 1));
    function done(): void {
      clearTimeout(timer);
      over.removeEventListener('abort', done);
      resolve();
    }
    over.addEventListener('abort', done);
    if (over.aborted) done();
  });
}
