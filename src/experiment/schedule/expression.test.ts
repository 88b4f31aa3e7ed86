import { describe, expect, test } from 'vitest';
import { readExpression } from './expression.ts';

/** UTC, whatever the machine that runs this says; the prefix is tested by that. */
const utc = 'TZ=UTC ';

const at = (iso: string): number => Date.parse(iso);

async function ticksAfter(text: string, from: string, howMany: number): Promise<readonly string[]> {
  const expression = await readExpression(text);
  if (expression.type !== 'cron') throw new Error('no cron');
  const ticks: string[] = [];
  for (let after: number | undefined = at(from); ticks.length < howMany; ) {
    after = expression.nextAfter(after);
    if (after === undefined) break;
    ticks.push(new Date(after).toISOString().slice(0, 16));
  }
  return ticks;
}

describe('five fields', () => {
  test.each([
    ['* * * * *', ['2026-03-01T10:01', '2026-03-01T10:02']],
    ['*/20 * * * *', ['2026-03-01T10:20', '2026-03-01T10:40']],
    ['5/20 * * * *', ['2026-03-01T10:05', '2026-03-01T10:25', '2026-03-01T10:45', '2026-03-01T11:05']],
    ['0 9-11/2 * * *', ['2026-03-01T11:00', '2026-03-02T09:00']],
    ['30 8 * * mon-fri', ['2026-03-02T08:30', '2026-03-03T08:30']],
    ['0 0 * * 7', ['2026-03-08T00:00']],
    ['0 0 1 JAN,jul ?', ['2026-07-01T00:00', '2027-01-01T00:00']],
    ['0 0 29 2 *', ['2028-02-29T00:00', '2032-02-29T00:00']],
    // Two days that are both restricted: either will do.
    ['0 0 13 * 5', ['2026-03-06T00:00', '2026-03-13T00:00', '2026-03-20T00:00']],
    ['0 0 */2 * 5', ['2026-03-03T00:00', '2026-03-05T00:00', '2026-03-06T00:00', '2026-03-07T00:00']],
    ['  15\t 3  * * *  ', ['2026-03-02T03:15']],
    ['@hourly', ['2026-03-01T11:00']],
    ['@Daily', ['2026-03-02T00:00']],
    ['@midnight', ['2026-03-02T00:00']],
    ['@weekly', ['2026-03-08T00:00']],
    ['@monthly', ['2026-04-01T00:00']],
    ['@yearly', ['2027-01-01T00:00']],
    ['@annually', ['2027-01-01T00:00']],
  ])('%s', async (text, expected) => {
    expect(await ticksAfter(utc + text.trim(), '2026-03-01T10:00:30Z', expected.length)).toEqual(expected);
  });

  test('a day that never comes has no next tick', async () => {
    expect(await ticksAfter(`${utc}0 0 30 2 *`, '2026-03-01T10:00:00Z', 1)).toEqual([]);
  });

  test('ticksAt says of a minute whether it is one', async () => {
    const expression = await readExpression(`CRON_${utc}30 2 * * *`);
    if (expression.type !== 'cron') throw new Error('no cron');
    expect(expression.ticksAt(at('2026-03-01T02:30:00Z'))).toBe(true);
    expect(expression.ticksAt(at('2026-03-01T02:31:00Z'))).toBe(false);
    expect(expression.ticksAt(at('2026-03-02T02:30:00Z'))).toBe(true);
    expect(expression.ticksAt(at('2026-03-02T02:30:00Z'))).toBe(true);
  });

  test('summer time: a time that is not there comes after the gap, one that is there twice comes once', async () => {
    const text = 'TZ=Europe/Berlin 30 2 * * *';
    expect(await ticksAfter(text, '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-29T01:00', '2026-03-30T00:30']);
    expect(await ticksAfter(text, '2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25T00:30', '2026-10-26T01:30']);
  });
});

describe('@every', () => {
  test.each([
    ['@every 10s', 10_000],
    ['@every 1s', 1_000],
    ['@every   1h30m', 5_400_000],
    ['@EVERY 1500ms', 1_500],
  ])('%s', async (text, everyMs) => {
    expect(await readExpression(text)).toEqual({ type: 'every', everyMs });
  });
});

describe('refused, in words', () => {
  test.each([
    ['', /1 fields|not five/u],
    ['* * * *', /4 fields and not five/u],
    ['* * * * * *', /6 fields and not five/u],
    ['60 * * * *', /cannot be understood/u],
    ['* 24 * * *', /cannot be understood/u],
    ['* * 0 * *', /cannot be understood/u],
    ['* * * 13 *', /cannot be understood/u],
    ['* * * * 8', /cannot be understood/u],
    ['5-1 * * * *', /cannot be understood/u],
    ['*/0 * * * *', /cannot be understood/u],
    ['mon * * * *', /"mon" as minute, which must be a number/u],
    ['* * * * fry', /cannot be understood/u],
    ['0 0 L * *', /"L" as day of the month, which is no cron/u],
    ['0 0 15W * *', /no cron/u],
    ['0 0 * * FRI#2', /no cron/u],
    ['0 0 1,,2 * *', /no cron/u],
    ['-1 * * * *', /no cron/u],
    ['1.5 * * * *', /no cron/u],
    ['@often', /is not known/u],
    ['@every', /is not known/u],
    ['@reboot', /is not known/u],
    ['@every 999ms', /more often than once a second/u],
    ['TZ=Mars/Base * * * * *', /time zone that is not known here: Mars\/Base/u],
    ['\u001b[31m * * * *', /no cron/u],
    [`* * * * ${'1,'.repeat(200)}1`, /longer than 256/u],
  ])('%j', async (text, message) => {
    await expect(readExpression(text)).rejects.toMatchObject({
      code: 'SCHEDULE_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test.each(['@every 10', '@every -5s', '@every 0s', '@every 400d', '@every soon'])('%j', async (text) => {
    await expect(readExpression(text)).rejects.toMatchObject({ code: 'DURATION_INVALID' });
  });

  test('nothing that acts on a terminal is told', async () => {
    const error: unknown = await readExpression('\u001b]0;x\u0007 * * * *').catch((cause: unknown) => cause);
    expect(String(error)).not.toMatch(/\p{Cc}/u);
  });
});
