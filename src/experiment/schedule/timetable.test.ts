import { describe, expect, test } from 'vitest';
import type { Moment } from '../../store/schedules.ts';
import { type Expression, readExpression } from './expression.ts';
import { correctedDue, dueTick, nextTickAt, periodMs, quietMs, wallClockJumpMs } from './timetable.ts';

const minute = 60_000;
const hour = 60 * minute;
const noon = Date.parse('2026-03-01T12:00:00Z');

/** `wall` counts from noon, `boot` from an hour after the boot. */
function moment(wallMs: number, bootMs = wallMs, clock = 'boot-1'): Moment {
  return { wallMs: noon + wallMs, bootMs: hour + bootMs, clock };
}

/** What a service does that looks at the clocks at these moments. @returns the ticks that it takes */
function taken(expression: Expression, start: Moment, looks: readonly Moment[]): readonly number[] {
  const ticks: number[] = [];
  let lastDue = start;
  let before = start;
  let setBackBootMs = Number.NEGATIVE_INFINITY;
  for (const now of looks) {
    if (wallClockJumpMs(before, now) <= -3 * hour) setBackBootMs = now.bootMs;
    before = now;
    lastDue = correctedDue(expression, lastDue, now, setBackBootMs) ?? lastDue;
    const due = dueTick(expression, lastDue, now);
    if (due === undefined) continue;
    ticks.push(due.wallMs - noon);
    lastDue = due;
  }
  return ticks;
}

/** Looks every 250 ms, in ms since noon. */
function every250ms(fromMs: number, toMs: number, at: (ms: number) => Moment = moment): readonly Moment[] {
  return Array.from({ length: Math.floor((toMs - fromMs) / 250) + 1 }, (_, index) => at(fromMs + index * 250));
}

describe('@every', () => {
  const tenSeconds: Expression = { type: 'every', everyMs: 10_000 };

  test('each tick is taken once, in rhythm however late it is seen', () => {
    expect(taken(tenSeconds, moment(0), every250ms(100, 45_000))).toEqual([10_000, 20_000, 30_000, 40_000]);
  });

  test('setting the wall clock back or forward changes nothing', () => {
    for (const jumpMs of [-72 * hour, -hour, hour, 72 * hour]) {
      const jumping = (ms: number): Moment => moment(ms < 15_000 ? ms : ms + jumpMs, ms);
      const looks = every250ms(0, 45_000, jumping);
      expect(taken(tenSeconds, moment(0), looks)).toHaveLength(4);
    }
  });

  test('after a pause (no service, suspended) one overdue tick is taken, then on in rhythm', () => {
    const looks = [...every250ms(0, 11_000), ...every250ms(57_000, 75_000)];
    expect(taken(tenSeconds, moment(0), looks)).toEqual([10_000, 50_000, 60_000, 70_000]);
  });

  test('a pause shorter than the rhythm changes nothing: the next tick is the last one + 10 s', () => {
    const looks = [...every250ms(0, 11_000), ...every250ms(19_000, 31_000)];
    expect(taken(tenSeconds, moment(0), looks)).toEqual([10_000, 20_000, 30_000]);
  });

  test('across a reboot the wall clock tells how long ago the last tick was', () => {
    const booted = (ms: number): Moment => moment(ms, ms - hour - 12_000, 'boot-2'); // 12 s after noon boot 2 begins
    const looks = every250ms(13_000, 31_000, booted);
    expect(taken(tenSeconds, moment(10_000), looks)).toEqual([20_000, 30_000]);
  });

  test('across a reboot with a wall clock that was set back, the rhythm begins anew', () => {
    const booted = (ms: number): Moment => moment(ms - 5 * hour, ms - hour, 'boot-2');
    const ticks = taken(tenSeconds, moment(10_000), every250ms(0, 25_000, booted));
    expect(ticks).toHaveLength(2);
  });

  test('across a reboot an overdue tick is taken once', () => {
    const booted = (ms: number): Moment => moment(ms, ms, 'boot-2');
    expect(taken(tenSeconds, moment(0), every250ms(hour + 3_000, hour + 12_000, booted))).toHaveLength(2);
  });

  test('the next tick, and how long nothing is due', () => {
    expect(nextTickAt(tenSeconds, moment(0), moment(4_000))).toBe(noon + 10_000);
    expect(quietMs(tenSeconds, moment(0), moment(4_000))).toBe(6_000);
    expect(nextTickAt(tenSeconds, moment(0), moment(14_000))).toBe(noon + 14_000);
    expect(quietMs(tenSeconds, moment(0), moment(14_000))).toBe(0);
    expect(periodMs(tenSeconds, moment(0))).toBe(10_000);
  });
});

describe('cron', async () => {
  const eachMinute = await readExpression('TZ=UTC * * * * *');
  const atHalfPast = await readExpression('TZ=UTC 30 * * * *');
  const looks = (fromMs: number, toMs: number, at?: (ms: number) => Moment) => every250ms(fromMs, toMs, at);

  test('each minute is taken once, and the first one is that after its beginning', () => {
    expect(taken(eachMinute, moment(10_000), looks(10_000, 3 * minute + 30_000))).toEqual([
      minute,
      2 * minute,
      3 * minute,
    ]);
  });

  test('ticks that went by while nobody looked are not made up', () => {
    const later = looks(40 * minute + 20_000, 41 * minute + 30_000);
    expect(taken(atHalfPast, moment(10_000), [...looks(10_000, 20_000), ...later])).toEqual([]);
    expect(taken(eachMinute, moment(10_000), [...looks(10_000, 20_000), ...later])).toEqual([40 * minute, 41 * minute]);
  });

  test('the clock set back by less than three hours: minutes lived through are not run again', () => {
    for (const backMs of [minute, hour, 3 * hour - minute]) {
      const back = (ms: number): Moment => moment(ms - backMs, ms);
      const ticks = taken(atHalfPast, moment(10_000), [
        ...looks(10_000, 31 * minute),
        // Coarser, or this takes long: a look each minute, until the wall clock is past half past one.
        ...Array.from({ length: (backMs + 2 * hour) / minute }, (_, index) => back(31 * minute + index * minute)),
      ]);
      expect(ticks[0]).toBe(30 * minute);
      expect(new Set(ticks).size, String(backMs)).toBe(ticks.length);
      expect(ticks.filter((tick) => tick < 30 * minute)).toEqual([]);
      expect(ticks).toContain(90 * minute);
    }
  });

  test('the clock set back further was wrong before: it goes on from there', () => {
    for (const backMs of [3 * hour, 5 * hour, 48 * hour]) {
      const back = (ms: number): Moment => moment(ms - backMs, ms);
      const ticks = taken(atHalfPast, moment(10_000), [
        ...looks(10_000, 31 * minute),
        ...Array.from({ length: 61 }, (_, index) => back(31 * minute + index * minute)),
      ]);
      expect(ticks).toEqual([30 * minute, 90 * minute - backMs]);
    }
  });

  test('set back further while the last tick was long ago', () => {
    // The last tick was at 12:30; at 17:00 the clock is set back to 12:10. 12:30 comes once more, and is run.
    const back = (ms: number): Moment => moment(ms - 4 * hour - 50 * minute, ms);
    const ticks = taken(atHalfPast, moment(30 * minute), [
      moment(5 * hour),
      ...Array.from({ length: 25 }, (_, index) => back(5 * hour + index * minute)),
    ]);
    expect(ticks).toEqual([30 * minute]);
  });

  test('the clock set forward: what lies between is not made up', () => {
    const forward = (ms: number): Moment => moment(ms + 10 * hour, ms);
    const ticks = taken(atHalfPast, moment(10_000), [
      ...looks(10_000, 20_000),
      ...Array.from({ length: 61 }, (_, index) => forward(minute + index * minute)),
    ]);
    expect(ticks).toEqual([10 * hour + 30 * minute]);
  });

  test('a reboot changes nothing', () => {
    const booted = (ms: number): Moment => moment(ms, ms - hour, 'boot-2');
    expect(taken(eachMinute, moment(minute), looks(minute + 5_000, 2 * minute + 5_000, booted))).toEqual([2 * minute]);
  });

  test('the next tick, and how long nothing is due', () => {
    expect(nextTickAt(atHalfPast, moment(0), moment(5_000))).toBe(noon + 30 * minute);
    expect(quietMs(atHalfPast, moment(0), moment(5_000))).toBe(55_000);
    // Set back a little: 12:30 was run already.
    expect(nextTickAt(atHalfPast, moment(30 * minute), moment(5_000, 31 * minute))).toBe(noon + 90 * minute);
    expect(nextTickAt(atHalfPast, moment(30 * minute), moment(30 * minute + 5_000))).toBe(noon + 90 * minute);
    expect(periodMs(atHalfPast, moment(0))).toBe(hour);
  });
});
