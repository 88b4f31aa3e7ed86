import { appendFileSync, existsSync } from 'node:fs';
import type { repoint, RepointRequest } from '../../src/linux/repoint/repoint.ts';

/*
 * Where the processes of a fault in files die, in a program that `io-crashing.ts` bundles: just before and just after
 * each deed that others can see (a mount, a record, a process that is sent out), and at each step of a move.
 *
 * IO_CRASH_IN   which process: `daemon`, `repointer`, or a command such as `recover`
 * IO_CRASH_AT   the number of the step at which it dies, from 1
 * IO_CRASH_LOG  a file that gets the name of that step; once it is there nobody dies any more
 */
const at = Number(process.env['IO_CRASH_AT']);
const log = process.env['IO_CRASH_LOG'];
const words = process.argv;
const role = words[2] === 'fault-program' ? words[6] : words[2];
let step = 0;

export function mayDie(name: string): void {
  if (log === undefined || role !== process.env['IO_CRASH_IN']) return;
  step++;
  if (step !== at || existsSync(log)) return;
  appendFileSync(log, `${role} ${step}: ${name}\n`);
  process.kill(process.pid, 'SIGKILL');
  // The signal is taken at the next return from the kernel; nothing more must happen here until then.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** The same function, with a step before and after what it does. */
export function trapped<Arguments extends readonly unknown[], Result>(
  name: string,
  deed: (...args: Arguments) => Result,
): (...args: Arguments) => Result {
  return (...args) => {
    mayDie(`before ${name}`);
    const result = deed(...args);
    if (!(result instanceof Promise)) {
      mayDie(`after ${name}`);
      return result;
    }
    return result.then((value: unknown) => {
      mayDie(`after ${name}`);
      return value;
    }) as Result;
  };
}

/** The same, with each of its own steps. */
export function trappedSteps(_name: string, deed: typeof repoint): typeof repoint {
  return (request: RepointRequest) => {
    mayDie('before moving');
    const report = deed({
      ...request,
      onStep: (name, pid) => {
        mayDie(name);
        request.onStep?.(name, pid);
      },
    });
    mayDie('after moving');
    return report;
  };
}
