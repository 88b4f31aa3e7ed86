import { readFileSync } from 'node:fs';

/** Of all processors since boot, in ticks: /proc/stat, proc_stat(5). */
function processorTime(): { readonly all: number; readonly stolen: number } {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user and nice already.
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { all: ticks.reduce((sum, one) => sum + one, 0), stolen: ticks[7] ?? 0 };
}

/** @returns tells which share of its processors' time the hypervisor has given to other machines since, from 0 to 1 */
export function watchStolenTime(): () => number {
  const before = processorTime();
  return () => {
    const { all, stolen } = processorTime();
    return (stolen - before.stolen) / Math.max(all - before.all, 1);
  };
}
