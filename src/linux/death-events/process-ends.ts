import { bootTimeMs, startTimeMs, ticksPerSecond } from '../clock.ts';
import { isEndedState, readStat } from '../procfs/stat.ts';
import type { ProcEvent } from './proc-connector.ts';

/*
 * The process connector tells when a main thread ends, and that is not always the end of its process: the other threads
 * may go on without it, and when one of them runs another program the kernel ends the main thread and gives its number
 * to that one.
 */

type Exit = ProcEvent & { readonly kind: 'exit' };

/** Between the clock of the events and that of start times, which goes on while the machine sleeps, in milliseconds. */
export function sleptMs(): number {
  return bootTimeMs() - Number(process.hrtime.bigint()) / 1e6;
}

function whatIsLeft({ pid, atMs }: Exit): 'nothing' | 'threads' | 'another program' {
  const stat = readStat(pid);
  if (stat === undefined) return 'nothing';
  const tickMs = 1000 / ticksPerSecond();
  // Somebody else has been given the number.
  if (startTimeMs(stat) > atMs + sleptMs() + tickMs) return 'nothing';
  if (!isEndedState(stat.state)) return 'another program';
  return stat.numThreads > 1 ? 'threads' : 'nothing';
}

/** Takes events as they come. The end of a main thread that is not its process's is left out, or told when it is. */
export function processEnds(): (events: readonly ProcEvent[]) => readonly ProcEvent[] {
  const waiting = new Map<number, Exit>();

  function overdue(): readonly Exit[] {
    const atMs = Number(process.hrtime.bigint()) / 1e6;
    return [...waiting.values()].flatMap((exit) => {
      const left = whatIsLeft(exit);
      if (left === 'threads') return [];
      waiting.delete(exit.pid);
      return left === 'nothing' ? [{ ...exit, atMs }] : [];
    });
  }
  function isEnd(event: ProcEvent): boolean {
    if (event.kind !== 'exit') return true;
    const left = whatIsLeft(event);
    if (left === 'threads') waiting.set(event.pid, event);
    return left === 'nothing';
  }
  return (events) => [...overdue(), ...events.filter(isEnd)];
}
