import { isDeepStrictEqual } from 'node:util';
import { withinTime } from '../base/bounded.ts';
import { FaultlineError } from '../base/error.ts';
import type { Json } from '../base/json.ts';
import { printable } from '../base/text.ts';
import { firstFound } from './json-path.ts';
import { measureText } from './measure-text.ts';
import type { Measure } from './measures.ts';

/** What a measure is compared with. Numbers are in the measure's own unit: ms, percent, bytes, or none. */
export type Tolerance =
  | { readonly kind: 'equals'; readonly value: Json }
  /** Both ends belong to it. */
  | { readonly kind: 'range'; readonly atLeast: number | undefined; readonly atMost: number | undefined }
  /** Of JavaScript, with the flag `u`; it is enough that a part matches. */
  | { readonly kind: 'pattern'; readonly source: string }
  /** What an RFC 9535 query finds first in a text that is JSON. */
  | { readonly kind: 'jsonpath'; readonly query: string; readonly tolerance: Tolerance };

/** Patterns are tried on every look: each is compiled once. */
const compiled = new Map<string, RegExp>();

function patternOf(source: string): RegExp {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const pattern = new RegExp(source, 'u');
  compiled.set(source, pattern);
  return pattern;
}

/** How long a pattern or a query may take for one text, in milliseconds: most take some thousandths of one. */
const budgetMs = 1_000;

/** What once took too long: it is not tried again, for meanwhile nothing else is looked at. */
const endless = new Set<string>();

/**
 * Asked of a text that a target chose, a pattern may try endless ways, and abort conditions must go on being watched.
 *
 * @throws {FaultlineError} REGEX_INVALID
 */
function inTime<Result>(source: string, work: () => Result): Result {
  const done = endless.has(source) ? undefined : withinTime(work, budgetMs);
  if (done !== undefined) return done.result;
  endless.add(source);
  throw new FaultlineError('REGEX_INVALID', `the tolerance takes too long to judge: ${printable(source)}`, {
    hint: 'repetitions inside of repetitions, as in (a+)+, try endless ways; write it without',
  });
}

/**
 * Is the value within the tolerance? One of another type, such as a text where a number is wanted, never is.
 *
 * @throws {FaultlineError} REGEX_INVALID: nobody can tell in a second
 */
export function judge(tolerance: Tolerance, value: Json): boolean {
  switch (tolerance.kind) {
    case 'equals':
      return isDeepStrictEqual(value, tolerance.value);
    case 'range': {
      const { atLeast = -Infinity, atMost = Infinity } = tolerance;
      return typeof value === 'number' && value >= atLeast && value <= atMost;
    }
    case 'pattern':
      return typeof value === 'string' && inTime(tolerance.source, () => patternOf(tolerance.source).test(value));
    case 'jsonpath': {
      const { query } = tolerance;
      const found = typeof value === 'string' ? inTime(query, () => firstFound(query, value)) : undefined;
      return found !== undefined && judge(tolerance.tolerance, found);
    }
  }
}

function rangeText(atLeast: number | undefined, atMost: number | undefined, unit: Measure['unit']): string {
  const [low, high] = [atLeast, atMost].map((end) => (end === undefined ? undefined : measureText(end, unit)));
  if (low !== undefined && high !== undefined) return low === high ? `exactly ${low}` : `from ${low} to ${high}`;
  return low === undefined ? `at most ${high ?? 'anything'}` : `at least ${low}`;
}

/** A tolerance for people, so that "expected" may follow: `at most 250 ms`, `exactly 2`, `a match of /ok/`. */
export function toleranceText(tolerance: Tolerance, unit: Measure['unit']): string {
  switch (tolerance.kind) {
    case 'equals': {
      const shown = measureText(tolerance.value, unit);
      return typeof tolerance.value === 'boolean' ? shown : `exactly ${shown}`;
    }
    case 'range':
      return rangeText(tolerance.atLeast, tolerance.atMost, unit);
    case 'pattern':
      return `a match of /${printable(tolerance.source)}/`;
    case 'jsonpath':
      return `${printable(tolerance.query)}: ${toleranceText(tolerance.tolerance, '')}`;
  }
}
