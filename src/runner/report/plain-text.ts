import { formatDuration } from '../../base/duration.ts';
import { printable } from '../../base/text.ts';
import { measureText } from '../measure-text.ts';
import type { Measure } from '../measures.ts';

/*
 * Text of reports: what processes, servers and logs say is harmless to show, and quantities are as people write them.
 */

/** U+FFFE and U+FFFF are no characters, and XML forbids them; `printable` leaves them. */
const noCharacters = /[\ufffe\uffff]/gu;

/** Untrusted text in one line: nothing in it acts, hides or turns around what stands beside it. */
export function plain(text: string): string {
  return printable(text).replaceAll(noCharacters, (one) => `\\u{${one.charCodeAt(0).toString(16)}}`);
}

/** Untrusted text of several lines, with its tabs. */
export function plainLines(text: string): string {
  return text
    .split(/\r?\n/u)
    .map((line) => line.split('\t').map(plain).join('\t'))
    .join('\n');
}

/** A sentence as it stands by itself: with a capital, unless a name comes first, and a full stop. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const [first = ''] = trimmed;
  // `answers: p99 was …` begins with the name of a probe, which is written as it is.
  const capital = /^[\w-]+:/u.test(trimmed) ? trimmed : `${first.toUpperCase()}${trimmed.slice(first.length)}`;
  return /[.!?…]$/u.test(trimmed) || trimmed === '' ? capital : `${capital}.`;
}

/** When in a run: `+4.2 s`. */
export function moment(atMs: number): string {
  return `+${duration(atMs)}`;
}

/** `0 s`, `4.2 s`, `1m30s` */
export function duration(ms: number): string {
  return ms === 0 ? '0 s' : formatDuration(ms);
}

const units: readonly string[] = ['ms', '%', 'bytes', '/s', ''] satisfies Measure['unit'][];

/** A value of a curve with its unit, as everything else that was measured is told: `241 ms`, `99.9%`, `100/s`, `2`. */
export function valueText(value: number, unit: string): string {
  return units.includes(unit) ? measureText(value, unit as Measure['unit']) : `${measureText(value, '')} ${unit}`;
}

/** `2026-11-22 05:02:47 UTC`; text that is no date stays as it is. */
export function dateText(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** An argument as a POSIX shell takes it: quoted where it must be. */
export function shellWord(word: string): string {
  return /^[\w./:@%+=-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
