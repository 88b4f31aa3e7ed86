import { nearHint } from '../../faults/near.ts';
import type { Expectation, ProbeSource } from '../experiment.ts';
import { measures } from '../measures.ts';
import { mapIn } from './fields.ts';
import type { Problems } from './problems.ts';
import { toleranceOf } from './tolerances.ts';
import type { Entry, Part } from './tree.ts';

/** A kind of probe; undefined: it is not known, for that very thing is wrong in the file. */
export type KnownKind = ProbeSource['kind'] | undefined;

/** The kinds of the probes that a file has, by their names. */
export type ProbeKinds = ReadonlyMap<string, KnownKind>;

async function expectationOf(
  problems: Problems,
  { key, keyAt, value }: Entry,
  kind: ProbeSource['kind'],
): Promise<Expectation | undefined> {
  const known = measures[kind];
  const measure = Object.hasOwn(known, key) ? known[key] : undefined;
  if (measure === undefined) {
    const problem = `a probe of the kind ${kind} has no measure "${key.slice(0, 80)}"`;
    return problems.add(keyAt, problem, nearHint(key, Object.keys(known)));
  }
  const tolerance = await toleranceOf(problems, value, key, measure);
  return tolerance === undefined ? undefined : { measure: key, tolerance };
}

/**
 * `{ success: { atLeast: 99% }, p99: { atMost: 250ms } }`
 *
 * @param kind of the probe; where it is not known nothing can be said of its measures
 */
export async function expectationsOf(
  problems: Problems,
  part: Part,
  what: string,
  kind: KnownKind,
): Promise<readonly Expectation[]> {
  const map = mapIn(problems, part, what, '{ measure: tolerance }');
  if (map === undefined || kind === undefined) return [];
  if (map.entries.length === 0) {
    problems.add(map.at, `${what} expects nothing`, `name one of: ${Object.keys(measures[kind]).join(', ')}`);
  }
  const found: Expectation[] = [];
  for (const entry of map.entries) {
    const one = await expectationOf(problems, entry, kind);
    if (one !== undefined) found.push(one);
  }
  return found;
}

/** What is expected of one probe, where a file names probes: in `assert` and `unless`. */
export interface NamedExpectations {
  readonly probe: string;
  readonly entry: Entry;
  readonly expect: readonly Expectation[];
}

/** `{ answers: { success: { atLeast: 99% } } }` */
export async function namedExpectationsOf(
  problems: Problems,
  part: Part,
  what: string,
  kinds: ProbeKinds,
): Promise<readonly NamedExpectations[]> {
  const map = mapIn(problems, part, what, '{ probe: { measure: tolerance } }');
  if (map === undefined) return [];
  if (map.entries.length === 0) {
    problems.add(map.at, `${what} names no probe`, `there is: ${[...kinds.keys()].join(', ')}`);
  }
  const found: NamedExpectations[] = [];
  for (const entry of map.entries) {
    const { key, keyAt, value } = entry;
    if (!kinds.has(key)) {
      const hint = kinds.size === 0 ? 'add it to steadyState.probes' : nearHint(key, [...kinds.keys()]);
      problems.add(keyAt, `there is no probe "${key.slice(0, 80)}"`, hint);
      continue;
    }
    const expect = await expectationsOf(problems, value, key, kinds.get(key));
    if (expect.length > 0) found.push({ probe: key, entry, expect });
  }
  return found;
}
