import { maxDurationMs, parseDuration } from '../../base/duration.ts';
import { isFaultlineError } from '../../base/error.ts';
import { parseSize } from '../../base/size.ts';
import { hasUnprintable } from '../../base/text.ts';
import { describePart, type Reader } from './fields.ts';
import type { ScalarPart } from './tree.ts';

/*
 * Readers of single values, with their units.
 */

const isText = (part: ScalarPart): boolean => typeof part.value === 'string';

/** A text, as it is; never a number, whose zeros and signs would be lost. */
export const text: Reader<string> = (problems, part, what) => {
  if (part.kind === 'scalar' && typeof part.value === 'string') return part.value;
  const hint = part.kind === 'scalar' ? `put it in quotation marks: "${part.source.slice(0, 60)}"` : 'write a text';
  return problems.add(part.at, `${what} must be a text, not ${describePart(part)}`, hint);
};

/** A text that is shown to people: of several lines, perhaps, and with nothing hidden in it. */
export const prose: Reader<string> = (problems, part, what) => {
  const given = text(problems, part, what)?.trim();
  if (given === undefined) return undefined;
  if (given === '') return problems.add(part.at, `${what} is empty`, 'write a sentence');
  if (!hasUnprintable(given.replaceAll(/[\n\t]/gu, ' '))) return given;
  return problems.add(part.at, `${what} has characters that nobody can see`, 'take them away');
};

/** What stands where a word is meant that may look like a number: `[sleep, 5]`, `process: 4123`. */
export const word: Reader<string> = (problems, part, what) => {
  if (part.kind !== 'scalar' || part.value === null) {
    return problems.add(part.at, `${what} must be a text, not ${describePart(part)}`, 'write a text');
  }
  const given = typeof part.value === 'string' ? part.value : part.source;
  if (given === '') return problems.add(part.at, `${what} is empty`, 'write a text');
  return given;
};

/** Timers hold no more than 2^31 - 1 ms: they would be over at once. */
const longestMs = 24 * 86_400_000;

function durationFrom(leastMs: number, mostMs = longestMs): Reader<number> {
  return (problems, part, what) => {
    const hint = 'write a number with its unit, such as 500ms, 30s, 1m30s or 2h';
    if (part.kind !== 'scalar' || part.value === null) {
      return problems.add(part.at, `${what} must be a time, not ${describePart(part)}`, hint);
    }
    if (leastMs === 0 && /^0(?:ms|s|m|h)?$/u.test(part.source)) return 0;
    if (!isText(part)) {
      return problems.add(part.at, `${what} has no unit: ${part.source}`, `write ${part.source}s or ${part.source}ms`);
    }
    try {
      const ms = parseDuration(String(part.value), what);
      if (ms > mostMs) return problems.add(part.at, `${what} is too long: ${part.source}`, 'write 24d or less');
      if (ms >= leastMs) return ms;
      return problems.add(part.at, `${what} is too short: ${part.source}`, `write ${leastMs}ms or more`);
    } catch (error) {
      if (!isFaultlineError(error)) throw error;
      return problems.add(part.at, error.message, error.hint ?? hint);
    }
  };
}

/** A time as one writes it in a file, rounded up to a millisecond: `2s`, `250ms`. */
export function durationSource(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${Math.ceil(ms)}ms`;
}

/** In ms, at least 1. */
export const duration = durationFrom(1);

/** In ms, at least 1: what is compared, and not waited for. */
export const age = durationFrom(1, maxDurationMs);

/** In ms, 0 or at least 1. */
export const durationOrNone = durationFrom(0);

/** In ms; what is looked at more often than this would be all that the runner does. */
export const interval = durationFrom(10);

/** A share in percent, from 0 to 100. The sign is wanted: 0.99 may be meant as a ratio. */
export const percent: Reader<number> = (problems, part, what) => {
  if (part.kind === 'scalar' && part.value !== null) {
    const [, number] = /^(\d+(?:\.\d+)?) ?%$/u.exec(part.source) ?? [];
    if (number !== undefined && Number(number) <= 100) return Number(number);
    if (number !== undefined) {
      return problems.add(part.at, `${what} is more than all: ${part.source}`, 'write 100% or less');
    }
  }
  const problem = `${what} must be a share in percent, not ${describePart(part)}`;
  return problems.add(part.at, problem, 'write it with its sign, such as 99.9%');
};

/** In bytes. */
export const size: Reader<number> = (problems, part, what) => {
  const problem = `${what} must be a number of bytes, not ${describePart(part)}`;
  if (part.kind !== 'scalar' || part.value === null) return problems.add(part.at, problem, 'such as 4096 or 10MiB');
  try {
    return parseSize(part.source, what);
  } catch (error) {
    if (!isFaultlineError(error)) throw error;
    return problems.add(part.at, problem, 'such as 4096, 4K, 10MiB or 10MB');
  }
};

const unitsASecond: Readonly<Record<string, number>> = { s: 1, m: 1 / 60, min: 1 / 60, h: 1 / 3600 };

/** A second. */
export const rate: Reader<number> = (problems, part, what) => {
  if (part.kind === 'scalar') {
    const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?) ?\/ ?(s|m|min|h)$/u.exec(part.source) ?? [];
    const perSecond = number === '' ? Number.NaN : Number(number) * (unitsASecond[unit] ?? Number.NaN);
    if (Number.isFinite(perSecond)) return perSecond;
  }
  const problem = `${what} must be a number a second, not ${describePart(part)}`;
  return problems.add(part.at, problem, 'write it with its unit, such as 100/s or 6/m');
};

/** A plain number. */
export const number: Reader<number> = (problems, part, what) => {
  if (part.kind === 'scalar' && typeof part.value === 'number') return part.value;
  return problems.add(part.at, `${what} must be a number, not ${describePart(part)}`, 'write a number, without a unit');
};

/** A whole number, 0 or above. */
export const whole: Reader<number> = (problems, part, what) => {
  if (part.kind === 'scalar' && Number.isInteger(part.value) && Number(part.value) >= 0) return Number(part.value);
  const problem = `${what} must be a whole number, not ${describePart(part)}`;
  return problems.add(part.at, problem, 'write 0 or a number above');
};

/** A regular expression of JavaScript with the flag `u`. */
export const regex: Reader<string> = (problems, part, what) => {
  const source = text(problems, part, what);
  if (source === undefined) return undefined;
  try {
    void new RegExp(source, 'u');
    return source;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // "Invalid regular expression: /(/u: Unterminated group": the end is what nobody knows yet.
    const reason = message.slice(message.lastIndexOf(': ') + 2);
    return problems.add(part.at, `${what} is no regex: ${reason}`, 'write one of JavaScript, with the flag u');
  }
};
