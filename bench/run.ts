import { buildDist } from '../scripts/build/dist.ts';
import { run as runAttack } from './attack.ts';
import { run as runExperiment } from './experiment.ts';
import type { Figure } from './figure.ts';
import { run as runForensics } from './forensics.ts';
import { endAllWhenInterrupted } from './interrupted.ts';
import { run as runIo } from './io.ts';
import { run as runIoAttack } from './io-attack.ts';
import { run as runKernel } from './kernel.ts';
import { run as runSelect } from './select.ts';
import { run as runService } from './service.ts';
import { run as runWatch } from './watch.ts';

/*
 * `npm run bench`: all benchmarks, one after the other, on this machine as it is. They measure; they assert nothing.
 *
 * BENCH_RUNS     how many pairs of commands are timed (default 31)
 * BENCH_ONLY     the name of the only one to run: 'Faults in files'
 * BENCH_ATTACKS  how many attacks the service has to endure (default 10,000)
 */

const runs = Number(process.env['BENCH_RUNS'] ?? 31);

const only = process.env['BENCH_ONLY'];

const benchmarks: readonly (readonly [string, () => Promise<readonly Figure[]>])[] = [
  ['The command', () => runAttack(runs)],
  ['Why did it die?', () => runForensics(runs)],
  ['Watching deaths', () => runWatch(runs)],
  ['The service', () => runService(Math.min(runs, 9), Number(process.env['BENCH_ATTACKS'] ?? 10_000))],
  ['Experiments', () => runExperiment(Math.min(runs, 5))],
  ['Choosing among 5,000 processes', runSelect],
  ['Files through FUSE', runIo],
  ['Faults in files', () => runIoAttack(Math.min(runs, 15))],
  ['Faults in the kernel', () => runKernel(Math.min(runs, 9))],
];

function line({ name, value, unit, bound }: Figure): string {
  const figure = `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`;
  return `  ${name.padEnd(62)} ${figure.padStart(12)}${bound === undefined ? '' : `   (bound: ${bound})`}`;
}

endAllWhenInterrupted();
await buildDist();
for (const [title, run] of benchmarks.filter(([name]) => only === undefined || name === only)) {
  console.log(title);
  for (const figure of await run()) console.log(line(figure));
}
