import { setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { ProbeSource } from '../../experiment.ts';
import type { Outcome, ProbeMessage } from '../outcome.ts';
import { probeCommand } from './command.ts';
import { probeFile } from './file.ts';
import { probeLog } from './log.ts';
import type { ProbeOrder } from './order.ts';
import { hrtimeMs } from './order.ts';
import { probeProcess } from './process.ts';
import { probePrometheus } from './prometheus.ts';
import type { Parts } from './prober.ts';
import { reasonOf } from './reason.ts';
import { Rounds } from './rounds.ts';
import { probeTcp } from './tcp.ts';

/*
 * A thread that probes: what the program does meanwhile, such as waiting for the disk with a journal, must not be
 * measured.
 */

/** How long an outcome waits for others to be told with, in ms: less than anybody looks at. */
const batchMs = 10;

/** Of the range -20 to 19. */
const ahead = -10;

/**
 * On a busy machine a thread that measures time is let in before others, or it measures how long it had to wait itself.
 * Zero is this thread, not the process: setpriority(2), "C library/kernel differences". Root alone may do it.
 */
function goAhead(): void {
  try {
    setPriority(0, ahead);
  } catch {
    // A normal user's measures are as exact as the machine is idle.
  }
}

type Stop = () => void | Promise<void>;

async function probe(source: ProbeSource, parts: Parts): Promise<Stop> {
  switch (source.kind) {
    case 'http': {
      // Alone in what it loads: a client of HTTP.
      const { probeHttp } = await import('./http.ts');
      return probeHttp(source, parts);
    }
    case 'tcp':
      return probeTcp(source, parts);
    case 'command':
      return probeCommand(source, parts);
    case 'process':
      return probeProcess(source, parts);
    case 'log':
      return probeLog(source, parts);
    case 'prometheus':
      return probePrometheus(source, parts);
    case 'file':
      return probeFile(source, parts);
  }
}

/** What cannot be probed at all, such as a URL that is none, fails again and again. */
function failing(error: unknown, { clock, report }: Parts): Stop {
  const failure = reasonOf(error);
  const plan = { everyMs: 1000, timeoutMs: Infinity, most: 1, whenBusy: 'skip', timed: true } as const;
  const finishAtOnce = (finish: (result: { readonly failure: string }) => void): (() => void) => {
    finish({ failure });
    return () => undefined;
  };
  const rounds = new Rounds(plan, clock, finishAtOnce, report);
  return () => rounds.stop();
}

/** `performance.now()` is cheaper, but counts from the start of each thread. */
const hrtimeAtZeroMs = hrtimeMs() - performance.now();

/**
 * Outcomes that go out together: a message for each of hundreds a second would take longer than to measure it.
 *
 * @returns takes an outcome, and lets go of all at once
 */
function batches(port: MessagePort): { readonly add: (outcome: Outcome) => void; readonly send: () => void } {
  let batch: Outcome[] = [];
  let timer: NodeJS.Timeout | undefined;
  function send(): void {
    clearTimeout(timer);
    timer = undefined;
    if (batch.length > 0) port.postMessage(batch satisfies ProbeMessage);
    batch = [];
  }
  return {
    add: (outcome) => {
      batch.push(outcome);
      timer ??= setTimeout(send, batchMs);
    },
    send,
  };
}

async function begin(source: ProbeSource, parts: Parts): Promise<Stop> {
  try {
    return await probe(source, parts);
  } catch (error) {
    return failing(error, parts);
  }
}

function start({ source, epochMs, port, leader }: ProbeOrder): void {
  const { add, send } = batches(port);
  const clock = (): number => performance.now() + hrtimeAtZeroMs - epochMs;
  const begun = begin(source, { clock, report: add, leader });
  async function end(): Promise<void> {
    try {
      await (await begun)();
    } finally {
      send();
      port.postMessage('stopped' satisfies ProbeMessage);
    }
  }
  port.once('message', () => void end());
}

if (workerData === 'timing') goAhead();
parentPort?.on('message', start);
