import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { delay } from '../../base/delay.ts';
import { signalGroup } from '../../linux/process-group.ts';
import type { Probe } from '../experiment.ts';
import type { ProbeMessage } from './outcome.ts';
import type { RunClock, RunningProbe } from './probe.ts';
import { ProbeRecord } from './record/record.ts';
import { seriesOf } from './record/series.ts';
import { hrtimeMs } from './thread/order.ts';
import { enterThread } from './threads.ts';

/** How often what has come is taken in, in ms, when nobody asks for it. */
const takeInMs = 100;
/** How long a probe may take to end, in ms: a file system may hold it up, and must not hold up the run. */
const patienceMs = 5_000;

/** Of the probes that go on, the command that runs: see `ProbeOrder`. */
const leaders = new Set<Int32Array>();

/** A thread that is ended at once, as by the end of this process, ends no command. */
function endCommand(leader: Int32Array): void {
  const pid = Atomics.exchange(leader, 0, 0);
  if (pid > 1) signalGroup(pid, 'SIGKILL');
}

function endCommands(): void {
  for (const leader of leaders) endCommand(leader);
}

function enlist(leader: Int32Array): void {
  leaders.add(leader);
  // One for all probes: there may be many.
  if (process.listeners('exit').includes(endCommands)) return;
  process.once('exit', endCommands);
}

/**
 * Begin to measure. It goes on in a thread of its own until it is stopped.
 *
 * Nothing that a target does, or is not there to do, is thrown: it counts as a failure. A measure throws only where
 * the thread has ended by a bug, or where its kind of probe has no such measure.
 */
export function startProbe(probe: Probe, clock: RunClock): RunningProbe {
  const { port1: port, port2 } = new MessageChannel();
  const record = new ProbeRecord(probe.source.kind, clock());
  const thread = enterThread(probe.source.kind);
  const leader = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  thread.start({ source: probe.source, epochMs: hrtimeMs() - clock(), port: port2, leader });
  let isStopped = false;
  enlist(leader);

  /** Whatever has been told up to now, without a turn of the event loop. */
  function takeIn(): void {
    for (;;) {
      const received: { readonly message: ProbeMessage } | undefined = receiveMessageOnPort(port);
      if (received === undefined) return;
      if (received.message === 'stopped') isStopped = true;
      else for (const outcome of received.message) record.add(outcome);
    }
  }

  function upToDate(): ProbeRecord {
    takeIn();
    const failure = thread.failure();
    if (failure !== undefined && stopping === undefined) throw failure;
    return record;
  }

  async function end(): Promise<void> {
    port.postMessage('stop');
    const giveUpMs = performance.now() + patienceMs;
    for (takeIn(); !isStopped && thread.failure() === undefined && performance.now() < giveUpMs; takeIn()) {
      await delay(2);
    }
    isStopped = true;
    clearInterval(timer);
    record.settledMs = clock();
    endedMs = record.settledMs;
    port.close();
    await thread.leave();
    endCommand(leader);
    leaders.delete(leader);
  }

  let stopping: Promise<void> | undefined;
  let endedMs: number | undefined;
  const timer = setInterval(takeIn, takeInMs).unref();
  return Object.freeze<RunningProbe>({
    probe,
    measure: (measure, fromMs, toMs) => upToDate().measure(measure, fromMs, toMs),
    settledMs: () => upToDate().settledMs,
    series: () => seriesOf(probe, upToDate(), endedMs ?? clock()),
    failures: () => upToDate().failures(),
    stop: () => {
      stopping ??= end();
      return stopping;
    },
  });
}
