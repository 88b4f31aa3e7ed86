import { parseDuration } from '../../base/duration.ts';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';

/** When a schedule ticks. */
export type Expression = Every | Cron;

/** In a steady rhythm, whatever the wall clock says. */
export interface Every {
  readonly type: 'every';
  readonly everyMs: number;
}

/** At minutes of the wall clock. */
export interface Cron {
  readonly type: 'cron';
  /** Does it tick at this whole minute, in wall-clock ms since 1970? */
  ticksAt(minuteMs: number): boolean;
  /** The first tick after a moment, in wall-clock ms; undefined when there is none. */
  nextAfter(wallMs: number): number | undefined;
}

export const minuteMs = 60_000;

/** The words that robfig/cron's ParseStandard has for common expressions; chaosd reads schedules with it. */
const words: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Longer than any expression that means something. */
const maxLength = 256;

const minEveryMs = 1_000;

interface Field {
  readonly name: string;
  /** Where `5/15` ends. */
  readonly last: number;
  /** Is a name of three letters understood, such as `mon`? */
  readonly named: boolean;
}

const fields: readonly Field[] = [
  { name: 'minute', last: 59, named: false },
  { name: 'hour', last: 23, named: false },
  { name: 'day of the month', last: 31, named: false },
  { name: 'month', last: 12, named: true },
  { name: 'day of the week', last: 6, named: true },
];

function invalid(text: string, reason: string, hint?: string): FaultlineError {
  return new FaultlineError('SCHEDULE_INVALID', `the schedule "${printable(text.slice(0, 80))}" ${reason}`, {
    hint: hint ?? 'write five fields (minute hour day month weekday), such as "*/5 * * * *", or "@every 10s"',
  });
}

const item = /^(?:(?<any>[*?])|(?<from>\d{1,2}|[a-z]{3})(?:-(?<to>\d{1,2}|[a-z]{3}))?)(?:\/(?<step>\d{1,2}))?$/iu;

/** One item of a field as the library reads it: `?` is `*`, and `5/15` goes on to the field's end. */
function standardItem(text: string, { name, last, named }: Field, whole: string): string {
  const parts = item.exec(text)?.groups;
  if (parts === undefined) throw invalid(whole, `has "${printable(text)}" as ${name}, which is no cron`);
  const { any, from = '', to, step } = parts;
  const strange = [from, to ?? ''].find((one) => !named && /[a-z]/iu.test(one));
  if (strange !== undefined) throw invalid(whole, `has "${printable(strange)}" as ${name}, which must be a number`);
  if (any !== undefined) return step === undefined || Number(step) === 1 ? '*' : `*/${step}`;
  const range = to === undefined && step !== undefined ? `${from}-${last}` : [from, to].filter(Boolean).join('-');
  return step === undefined ? range : `${range}/${step}`;
}

function standardFields(text: string): string {
  const given = text.split(/\s+/u);
  if (given.length !== fields.length) {
    throw invalid(text, `has ${given.length} fields and not five`);
  }
  return fields
    .map((field, index) => {
      const items = (given[index] ?? '').split(',');
      return items.map((one) => standardItem(one, field, text)).join(',');
    })
    .join(' ');
}

/** `TZ=Europe/Berlin 0 9 * * *`: ParseStandard understands it, with `CRON_TZ=` too. */
function splitZone(text: string): { readonly zone: string | undefined; readonly rest: string } {
  const [, zone, rest = ''] = /^(?:CRON_)?TZ=(\S+)\s+(.*)$/u.exec(text) ?? [];
  if (zone === undefined) return { zone, rest: text };
  try {
    Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    throw invalid(text, `names a time zone that is not known here: ${printable(zone)}`);
  }
  return { zone, rest };
}

async function readCron(text: string): Promise<Cron> {
  const { zone, rest } = splitZone(text);
  const pattern = standardFields(words[rest.toLowerCase()] ?? rest);
  const { Cron: CronJob } = await import('croner');
  let job: InstanceType<typeof CronJob>;
  try {
    job = new CronJob(pattern, { mode: '5-part', paused: true, ...(zone === undefined ? {} : { timezone: zone }) });
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /u, '') : String(error);
    throw invalid(text, `cannot be understood: ${printable(reason)}`);
  }
  const nextAfter = (wallMs: number): number | undefined => job.nextRun(new Date(wallMs))?.getTime();
  // Asked several times a second; the answer changes once a minute.
  let asked = { minute: Number.NaN, answer: false };
  return Object.freeze<Cron>({
    type: 'cron',
    nextAfter,
    ticksAt: (minute: number) => {
      if (asked.minute !== minute) asked = { minute, answer: nextAfter(minute - 1_000) === minute };
      return asked.answer;
    },
  });
}

function readEvery(text: string, duration: string): Every {
  const everyMs = parseDuration(duration, '@every');
  if (everyMs < minEveryMs) {
    throw invalid(text, 'ticks more often than once a second', 'write @every 1s or more');
  }
  return Object.freeze({ type: 'every', everyMs });
}

/**
 * Read an expression as chaosd does: five fields of cron (minute, hour, day of the month, month, day of the week), one
 * of the words such as `@hourly`, or `@every` with a duration.
 *
 * @throws {FaultlineError} SCHEDULE_INVALID, DURATION_INVALID
 */
export async function readExpression(given: string): Promise<Expression> {
  const text = given.trim();
  if (text.length > maxLength) throw invalid(text, `is longer than ${maxLength} characters`);
  const [, every] = /^@every\s+(\S.*)$/iu.exec(text) ?? [];
  if (every !== undefined) return readEvery(text, every);
  if (text.startsWith('@') && words[text.toLowerCase()] === undefined) {
    throw invalid(text, 'is not known', `there is: @every 10s, ${Object.keys(words).join(', ')}`);
  }
  return readCron(text);
}
