const forever = new Int32Array(new SharedArrayBuffer(4));

/** Have this thread do nothing for a while. */
export function sleepMs(duration: number): void {
  Atomics.wait(forever, 0, 0, duration);
}
