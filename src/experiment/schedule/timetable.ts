import type { Moment } from '../../store/schedules.ts';
import { type Expression, minuteMs } from './expression.ts';

/*
 * Which tick is due, from what the journal remembers and what the clocks say now. Pure: given times in, times out.
 *
 * `@every` counts on CLOCK_BOOTTIME, which nobody can set. Cron counts minutes of the wall clock. Ticks that went by
 * while nobody looked are not made up: of `@every` at most the newest one is taken, of cron only that of this minute.
 */

/** Set back by less, the wall clock shows minutes again that were lived through; by more, it was wrong before. */
export const correctionMs = 3 * 3_600_000;

const minuteOf = (wallMs: number): number => Math.floor(wallMs / minuteMs) * minuteMs;

/** How far the wall clock was set between two looks, in ms; negative is back. */
export function wallClockJumpMs(before: Moment, now: Moment): number {
  if (before.clock !== now.clock) return 0;
  return now.wallMs - before.wallMs - (now.bootMs - before.bootMs);
}

/** A moment told on the boot clock of now. Where that clock began anew, only the wall clock knows how long ago. */
function onThisClock(moment: Moment, now: Moment): Moment {
  if (moment.clock === now.clock) return moment;
  const agoMs = Math.max(now.wallMs - moment.wallMs, 0);
  return { wallMs: now.wallMs - agoMs, bootMs: now.bootMs - agoMs, clock: now.clock };
}

/**
 * From which moment ticks are to be counted instead, if not from the last one: the host was booted since, or the wall
 * clock was set back so far that it must have been wrong before.
 *
 * @param setBackBootMs when it was seen to be set back that far, in CLOCK_BOOTTIME ms
 */
export function correctedDue(
  expression: Expression,
  lastDue: Moment,
  now: Moment,
  setBackBootMs = Number.NEGATIVE_INFINITY,
): Moment | undefined {
  if (expression.type === 'every') return lastDue.clock === now.clock ? undefined : onThisClock(lastDue, now);
  const aheadMs = lastDue.wallMs - now.wallMs;
  if (aheadMs >= correctionMs) return now;
  const before = lastDue.clock === now.clock && lastDue.bootMs < setBackBootMs;
  return aheadMs > 0 && before ? now : undefined;
}

/** The tick that is due now, if one is: never the last one again. */
export function dueTick(expression: Expression, lastDue: Moment, now: Moment): Moment | undefined {
  if (expression.type === 'cron') {
    const minute = minuteOf(now.wallMs);
    if (minute <= lastDue.wallMs || !expression.ticksAt(minute)) return undefined;
    return { wallMs: minute, bootMs: now.bootMs - (now.wallMs - minute), clock: now.clock };
  }
  const last = onThisClock(lastDue, now);
  const ticks = Math.floor((now.bootMs - last.bootMs) / expression.everyMs);
  if (ticks < 1) return undefined;
  const bootMs = last.bootMs + ticks * expression.everyMs; // in rhythm, however late we are
  return { wallMs: now.wallMs - (now.bootMs - bootMs), bootMs, clock: now.clock };
}

/** When the next tick is, in wall-clock ms: now, if one is due. */
export function nextTickAt(expression: Expression, lastDue: Moment, now: Moment): number | undefined {
  if (dueTick(expression, lastDue, now) !== undefined) return now.wallMs;
  if (expression.type === 'every') {
    return now.wallMs + onThisClock(lastDue, now).bootMs + expression.everyMs - now.bootMs;
  }
  const lived = lastDue.wallMs - now.wallMs < correctionMs ? lastDue.wallMs : now.wallMs;
  return expression.nextAfter(Math.max(now.wallMs, lived));
}

/** How long nothing can become due, in ms, if no clock is set meanwhile. */
export function quietMs(expression: Expression, lastDue: Moment, now: Moment): number {
  if (expression.type === 'cron') return minuteOf(now.wallMs) + minuteMs - now.wallMs;
  return Math.max(onThisClock(lastDue, now).bootMs + expression.everyMs - now.bootMs, 0);
}

/** How many ms pass between two ticks, about: for remarks. Undefined where there are no two. */
export function periodMs(expression: Expression, now: Moment): number | undefined {
  if (expression.type === 'every') return expression.everyMs;
  const first = expression.nextAfter(now.wallMs);
  const second = first === undefined ? undefined : expression.nextAfter(first);
  return first === undefined || second === undefined ? undefined : second - first;
}
