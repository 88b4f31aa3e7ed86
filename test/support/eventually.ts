import { setTimeout as delay } from 'node:timers/promises';

/** Wait for what must come, for as long as a machine under the heaviest load may need. */
export async function eventually(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 90_000;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`waited 90 s in vain: ${what}`);
    await delay(10);
  }
}
