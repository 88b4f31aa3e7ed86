import type { Expectation, Probe, ProbeSource } from '../experiment.ts';
import { expectationsOf, type KnownKind, type ProbeKinds } from './expectations.ts';
import { type Fields, fieldsOf, isNothing, mapIn, oneKeyOf, optional } from './fields.ts';
import type { Problems } from './problems.ts';
import { durationSource, interval } from './scalars.ts';
import { sourceKinds, sourceOf } from './sources.ts';
import type { Entry, MapPart, Part } from './tree.ts';

/** Names of experiments and probes: they stand in sentences, paths and names of files. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/u;

export const probeKeys = ['expect', 'during', 'window'] as const;

const kindsHint = `name one of: ${sourceKinds.join(', ')}`;
const isKind = (key: string): key is ProbeSource['kind'] => sourceKinds.some((kind) => kind === key);

function kindEntry(fields: Fields, map: MapPart, name: string): Entry | undefined {
  const { problems } = fields;
  // One that was mistyped was told already.
  const isTold = sourceKinds.every((kind) => fields.entry(kind) === undefined) && !sourceKinds.every(fields.isMissing);
  if (isTold) return undefined;
  return oneKeyOf(problems, map, `the probe ${name}`, sourceKinds, kindsHint);
}

/** What the probes are called and what they are, whatever else is wrong with them. */
export function probeKinds(part: Part | undefined): ProbeKinds {
  if (part?.kind !== 'map') return new Map();
  return new Map(
    part.entries.map(({ key, value }): [string, KnownKind] => {
      const kinds = value.kind === 'map' ? value.entries.map((entry) => entry.key).filter(isKind) : [];
      return [key, kinds.length === 1 ? kinds[0] : undefined];
    }),
  );
}

async function expected(fields: Fields, key: string, kind: KnownKind): Promise<readonly Expectation[]> {
  const part = fields.entry(key)?.value;
  return part === undefined ? [] : expectationsOf(fields.problems, part, key, kind);
}

/** What the file says for the method stands in place of the same measure's; the others stay. */
function merged(expect: readonly Expectation[], during: readonly Expectation[]): readonly Expectation[] {
  const named = new Set(during.map(({ measure }) => measure));
  return [...expect.filter(({ measure }) => !named.has(measure)), ...during];
}

/** How long it takes at most until the probe has measured once more. */
export function everyMsOf(source: ProbeSource): number {
  return source.kind === 'http' ? 1000 / source.rate : source.everyMs;
}

async function probeOf(problems: Problems, { key: name, keyAt, value }: Entry): Promise<Probe | undefined> {
  if (!namePattern.test(name)) {
    problems.add(keyAt, `"${name.slice(0, 80)}" cannot be the name of a probe`, 'letters, digits, - and _');
  }
  const map = mapIn(problems, value, `the probe ${name}`, '{ http: "http://…", expect: { success: 100% } }');
  if (map === undefined) return undefined;
  const fields = fieldsOf(problems, map, `the probe ${name}`, [...sourceKinds, ...probeKeys]);
  const entry = kindEntry(fields, map, name);
  const kind = entry !== undefined && isKind(entry.key) ? entry.key : undefined;
  const isEmpty = entry === undefined || isNothing(entry.value);
  const source = isEmpty || kind === undefined ? undefined : sourceOf(problems, entry.value, kind);
  const expect = await expected(fields, 'expect', kind);
  const during = await expected(fields, 'during', kind);
  const windowMs = optional(fields, 'window', interval);
  if (source === undefined) return undefined;
  if (windowMs !== undefined && windowMs < everyMsOf(source)) {
    const at = fields.entry('window')?.value.at ?? map.at;
    problems.add(
      at,
      'the window is over before the probe has looked once',
      `write ${durationSource(everyMsOf(source))} or more`,
    );
  }
  return { name, source, expect, during: merged(expect, during), windowMs };
}

/** `{ answers: { http: …, expect: … } }`, those that are valid. */
export async function probesOf(problems: Problems, part: Part): Promise<readonly Probe[]> {
  const map = mapIn(problems, part, 'probes', 'name: { http: "http://…", expect: { success: 100% } }');
  if (map === undefined) return [];
  if (map.entries.length === 0) {
    problems.add(map.at, 'there is no probe', 'add one: its name, and below it http, process, …');
  }
  const found: Probe[] = [];
  for (const entry of map.entries) {
    const probe = await probeOf(problems, entry);
    if (probe !== undefined) found.push(probe);
  }
  return found;
}
