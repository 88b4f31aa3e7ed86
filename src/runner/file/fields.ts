import { listed } from '../../base/text.ts';
import { nearHint } from '../../faults/near.ts';
import type { Problems, Spot } from './problems.ts';
import type { Entry, MapPart, Part } from './tree.ts';

/*
 * Reading a map key by key. A reader that finds something wrong adds it to the problems and returns undefined, so that
 * whoever called goes on and finds what else is wrong.
 */

/** Makes something of a part; `what` is how to call it in a problem: `timeout`. */
export type Reader<Value> = (problems: Problems, part: Part, what: string) => Value | undefined;

/** What a map has under the keys that are known of it. */
export interface Fields {
  readonly problems: Problems;
  /** Where the map begins. */
  readonly at: Spot;
  /** A key with its value; undefined where it is missing, or has none. */
  readonly entry: (key: string) => Entry | undefined;
  /** It is not there at all, not even mistyped. */
  readonly isMissing: (key: string) => boolean;
}

const articles: Readonly<Record<Part['kind'], string>> = { map: 'keys with values', list: 'a list', scalar: 'a value' };

/** What a part is, in words, for the sentence that says that something else is wanted. */
export function describePart(part: Part): string {
  if (part.kind !== 'scalar') return articles[part.kind];
  if (part.value === null) return 'nothing';
  return typeof part.value === 'string' ? `the text "${part.source.slice(0, 60)}"` : part.source.slice(0, 60);
}

/** A map, or the problem that it is none. */
export function mapIn(problems: Problems, part: Part, what: string, example: string): MapPart | undefined {
  if (part.kind === 'map') return part;
  return problems.add(part.at, `${what} must be keys with values, not ${describePart(part)}`, `write ${example}`);
}

/** A key that nobody knows. @returns the one that was meant, where that is plain */
function tellUnknown(
  problems: Problems,
  { key, keyAt }: Entry,
  what: string,
  known: readonly string[],
): string | undefined {
  if (problems.isFull()) return undefined; // what may have been meant takes long to find
  const hint = nearHint(key, known);
  problems.add(keyAt, `there is no "${key.slice(0, 80)}" in ${what}`, hint);
  return known.find((one) => hint === `did you mean ${one}?`);
}

export const isNothing = (part: Part): boolean => part.kind === 'scalar' && part.value === null;

/** The fields of a map; unknown ones are problems, and so are those without a value. */
export function fieldsOf(problems: Problems, map: MapPart, what: string, known: readonly string[]): Fields {
  const entries = new Map<string, Entry>();
  // What was mistyped or has no value is there: that it is missing, too, would not be true.
  const worthless = new Set<string>();
  for (const entry of map.entries) {
    const { key, keyAt, value } = entry;
    if (!known.includes(key)) {
      const meant = tellUnknown(problems, entry, what, known);
      if (meant !== undefined) worthless.add(meant);
    } else if (isNothing(value)) {
      problems.add(keyAt, `"${key}" has no value`, 'give it one, or take the line away');
      worthless.add(key);
    } else {
      entries.set(key, entry);
    }
  }
  return {
    problems,
    at: map.at,
    entry: (key) => entries.get(key),
    isMissing: (key) => !entries.has(key) && !worthless.has(key),
  };
}

/** A field that may be absent. @returns undefined when it is, or is not valid */
export function optional<Value>(fields: Fields, key: string, reader: Reader<Value>): Value | undefined {
  const part = fields.entry(key)?.value;
  return part === undefined ? undefined : reader(fields.problems, part, key);
}

/** A field that must be there. @param example what to write: `url: "http://127.0.0.1:8080/"` */
export function required<Value>(
  fields: Fields,
  key: string,
  reader: Reader<Value>,
  of: string,
  example: string,
): Value | undefined {
  if (fields.isMissing(key)) return fields.problems.add(fields.at, `${of} has no "${key}"`, `add ${example}`);
  return optional(fields, key, reader);
}

/** Each item of a list, those that are valid. */
export function listOf<Value>(reader: Reader<Value>, example: string): Reader<readonly Value[]> {
  return (problems, part, what) => {
    if (part.kind !== 'list') {
      return problems.add(part.at, `${what} must be a list, not ${describePart(part)}`, `write ${example}`);
    }
    return part.items.flatMap((item) => {
      const value = reader(problems, item, what);
      return value === undefined ? [] : [value];
    });
  };
}

/** The one key of these that a map has: which of several things it is. */
export function oneKeyOf(
  problems: Problems,
  map: MapPart,
  what: string,
  keys: readonly string[],
  hint: string,
): Entry | undefined {
  const found = map.entries.filter(({ key }) => keys.includes(key));
  const [first, second] = found;
  if (first === undefined) return problems.add(map.at, `${what} says nothing of what it is`, hint);
  if (second === undefined) return first;
  const names = listed(found.map(({ key }) => key));
  return problems.add(second.keyAt, `${what} is several things at once: ${names}`, 'one of them only');
}
