import { delay } from '../../base/delay.ts';
import { formatDuration } from '../../base/duration.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Verdict } from '../../base/lifecycle.ts';
import { bootTimeMs } from '../../linux/clock.ts';
import { type ExitStatus, exitStatus, hasExited } from '../../linux/pidfd.ts';
import { readProcessState } from '../../linux/procfs/process-state.ts';
import { readStatus, signalDisposition } from '../../linux/procfs/status.ts';
import { defaultAction, signalName } from '../../linux/signals.ts';
import type { ProcessHandle } from '../../targets/handle.ts';

/*
 * What became of a process after a signal: kill(2) returning 0 says only that the signal was taken in.
 */

/** How long to look, and for what. */
export interface Patience {
  readonly waitMs: number;
  /**
   * `clear`: until it is clear what became of it; `end`: until it has ended. A grace is given whole: what ignores a
   * signal may still end for other reasons.
   */
  readonly until: 'clear' | 'end';
}

/** A signal that was sent to a process that is held. */
export interface Sent {
  readonly handle: ProcessHandle;
  readonly signal: number;
  /** CLOCK_BOOTTIME ms. */
  readonly sentBootMs: number;
}

export interface Seen {
  readonly verdict: Verdict;
  readonly seen: string;
  readonly evidence: JsonObject;
}

/**
 * Signals that programs catch to be told something (reload, rotate, wake up), by convention: SIGHUP, SIGUSR1, SIGUSR2,
 * SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGIO. Caught is then what was meant. The real-time signals (34 and above) are
 * such, too.
 */
const notifications = new Set([1, 10, 12, 17, 18, 23, 28, 29]);

/** After a notification, how long a program gets to die of it before it counts as handled, in milliseconds. */
const settleMs = 30;

const name = (signal: number): string => signalName(signal) ?? `signal ${signal}`;

function tellsOnly(signal: number): boolean {
  return notifications.has(signal) || signal >= 34;
}

function statusText(status: ExitStatus | undefined, signal: number): string {
  if (status === undefined) return 'is gone (how it ended is not visible to us)';
  if (status.kind === 'exited') return `handled ${name(signal)} and exited with ${status.code}`;
  return `died of ${name(status.signal)}${status.coreDumped ? ' (core dumped)' : ''}`;
}

function death(sent: Sent, nowBootMs: number): Seen {
  const status = exitStatus(sent.handle.pidfd);
  const afterMs = Math.max(0, nowBootMs - sent.sentBootMs);
  const expected = ['terminate', 'core'].includes(defaultAction(sent.signal));
  const seen = `${statusText(status, sent.signal)} after ${formatDuration(afterMs)}`;
  const evidence = {
    ended: true,
    afterMs,
    sentBootMs: sent.sentBootMs,
    endedBootMs: nowBootMs,
    ...(status === undefined ? {} : { status }),
  };
  return { verdict: expected ? 'confirmed' : 'mismatch', seen, evidence };
}

interface Look {
  readonly sent: Sent;
  readonly state: string;
  readonly pending: boolean;
  readonly blocked: boolean;
  readonly ignored: boolean;
  readonly caught: boolean;
  readonly afterMs: number;
}

function look(sent: Sent, nowBootMs: number): Look | undefined {
  const status = readStatus(sent.handle.identity.pid);
  const state = readProcessState(sent.handle.identity.pid);
  if (status === undefined || state === undefined) return undefined;
  return { sent, state, ...signalDisposition(status, sent.signal), afterMs: nowBootMs - sent.sentBootMs };
}

function judged(verdict: Verdict, seen: string, { state, afterMs }: Look): Seen {
  return { verdict, seen, evidence: { ended: false, state, afterMs } };
}

/** What can be said as soon as it is seen, before the wait is over. */
function early(view: Look): Seen | undefined {
  const { signal } = view.sent;
  const action = defaultAction(signal);
  const after = formatDuration(view.afterMs);
  if (action === 'stop' && view.state === 'T') return judged('confirmed', `stopped (state T) after ${after}`, view);
  if (view.pending) return undefined;
  if (view.state === 't') return judged('inconclusive', 'is held by a tracer (state t)', view);
  if (action === 'continue' && view.state !== 'T') return judged('confirmed', `runs (state ${view.state})`, view);
  if (action === 'ignore') return judged('confirmed', `was given ${name(signal)}`, view);
  if (view.ignored) return judged('mismatch', `ignores ${name(signal)}`, view);
  if (view.caught && tellsOnly(signal) && view.afterMs > settleMs) {
    return judged('confirmed', `handled ${name(signal)} and lives on`, view);
  }
  return undefined;
}

/** What has to be said when the wait is over and nothing decisive was seen. */
function late(view: Look): Seen {
  const { signal } = view.sent;
  const after = formatDuration(view.afterMs);
  if (view.pending) {
    if (view.state === 'D') {
      return judged('inconclusive', `sleeps uninterruptibly (state D); ${name(signal)} waits`, view);
    }
    if (view.state === 'T' || view.state === 't') {
      return judged(
        'inconclusive',
        `is stopped (state ${view.state}); ${name(signal)} waits until it is continued`,
        view,
      );
    }
    if (view.blocked) return judged('inconclusive', `blocks ${name(signal)}, which waits`, view);
    return judged('inconclusive', `has not taken ${name(signal)} yet, ${after} after it was sent`, view);
  }
  if (view.caught) return judged('mismatch', `handled ${name(signal)} and lives on, ${after} after it was sent`, view);
  return judged('mismatch', `lives on (state ${view.state}), ${after} after ${name(signal)}`, view);
}

function glance(sent: Sent, { until }: Patience, over: boolean): Seen | undefined {
  const nowBootMs = bootTimeMs();
  if (hasExited(sent.handle.pidfd)) return death(sent, nowBootMs);
  const view = look(sent, nowBootMs);
  if (view === undefined) return hasExited(sent.handle.pidfd) ? death(sent, bootTimeMs()) : undefined;
  const now = until === 'clear' || over ? early(view) : undefined;
  return now ?? (over ? late(view) : undefined);
}

/** Pauses between looks, in milliseconds: a SIGKILL is over in well below one, a shutdown may take seconds. */
const pausesMs = [0, 0, 0, 0, 0, 1, 1, 2, 5, 10, 20];
const lastPauseMs = 50;

/**
 * Give the process's parent a moment to reap it: only then does the kernel tell how it ended to us, who are no
 * parent.
 */
async function withStatus(sent: Sent, seen: Seen): Promise<Seen> {
  if (seen.evidence['ended'] !== true || seen.evidence['status'] !== undefined) return seen;
  for (const pauseMs of [0, 1, 4, 10]) {
    await delay(pauseMs);
    const status = exitStatus(sent.handle.pidfd);
    if (status !== undefined) return death(sent, Number(seen.evidence['endedBootMs']));
  }
  return seen;
}

/**
 * Look until it is clear for each what became of it, or until the wait is over.
 *
 * @param onProgress is told how many are clear
 * @param betweenLooks is called after each pause, with the ms since the first look; ends the wait early by throwing
 */
export async function watch(
  sent: readonly Sent[],
  patience: Patience,
  onProgress: (clear: number) => void,
  betweenLooks: (elapsedMs: number) => void,
): Promise<ReadonlyMap<Sent, Seen>> {
  const clear = new Map<Sent, Seen>();
  const startBootMs = bootTimeMs();
  const endBootMs = startBootMs + patience.waitMs;
  for (let turn = 0; clear.size < sent.length; turn++) {
    const over = bootTimeMs() >= endBootMs;
    for (const one of sent) {
      const seen = clear.has(one) ? undefined : glance(one, patience, over);
      if (seen !== undefined) clear.set(one, await withStatus(one, seen));
    }
    onProgress(clear.size);
    if (clear.size === sent.length || over) break;
    const pauseMs = pausesMs[turn] ?? lastPauseMs;
    await delay(Math.max(0, Math.min(pauseMs, endBootMs - bootTimeMs())));
    betweenLooks(bootTimeMs() - startBootMs);
  }
  return clear;
}
