import { buildDist } from '../scripts/build/dist.ts';
import { run as runAttack } from './attack.ts';
import type { Figure } from './figure.ts';
import { run as runSelect } from './select.ts';

/*
 * `npm run bench`: all benchmarks, one after the other, on this machine as it is. They measure; they assert nothing.
 *
 * BENCH_RUNS  how many pairs of commands are timed (default 31)
 */

const benchmarks: readonly (readonly [string, () => Promise<readonly Figure[]>])[] = [
  ['The command', () => runAttack(Number(process.env['BENCH_RUNS'] ?? 31))],
  ['Choosing among 5,000 processes', runSelect],
];

function line({ name, value, unit, bound }: Figure): string {
  const figure = `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`;
  return `  ${name.padEnd(52)} ${figure.padStart(12)}${bound === undefined ? '' : `   (bound: ${bound})`}`;
}

await buildDist();
for (const [title, run] of benchmarks) {
  console.log(title);
  for (const figure of await run()) console.log(line(figure));
}
