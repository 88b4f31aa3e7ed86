import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** This file has a process of its own, so nothing before this has loaded native code. */
function isKoffiMapped(): boolean {
  return /koffi[^\n]*\.node$/m.test(readFileSync('/proc/self/maps', 'utf8'));
}

test('importing the floor does not load koffi; the first call does', async () => {
  const { bootTimeMs } = await import('./clock.ts');
  await Promise.all([
    import('./pidfd.ts'),
    import('./users.ts'),
    import('./prctl.ts'),
    import('./host.ts'),
    import('./cgroupfs.ts'),
    import('./procfs/tasks.ts'),
  ]);
  expect(isKoffiMapped()).toBe(false);
  bootTimeMs();
  expect(isKoffiMapped()).toBe(true);
});
