import type { Json } from '../../base/json.ts';
import { listed } from '../../base/text.ts';
import { refuseQuery } from '../json-path.ts';
import type { Measure } from '../measures.ts';
import type { Tolerance } from '../tolerance.ts';
import { describePart, type Fields, fieldsOf, isNothing, optional, type Reader } from './fields.ts';
import { age, number, percent, rate, regex, size, text } from './scalars.ts';
import type { Problems } from './problems.ts';
import type { MapPart, Part } from './tree.ts';

/*
 * What a measure must be: `{ atMost: 250ms }`, or a plain value.
 */

const readers: Readonly<Record<Measure['unit'], Reader<number>>> = {
  ms: age,
  '%': percent,
  bytes: size,
  '/s': rate,
  '': number,
};

/** What values look like, a low one and a high one, by the unit. */
const samples: Readonly<Record<Measure['unit'], readonly [string, string]>> = {
  ms: ['10ms', '250ms'],
  '%': ['99%', '100%'],
  bytes: ['1MiB', '10MiB'],
  '/s': ['90/s', '110/s'],
  '': ['1', '2'],
};

/** What a found value of JSON is compared with; its type is known only when it is found. */
const anything = { unit: '', type: undefined } as const;

type Compared = Pick<Measure, 'unit' | 'type'> | typeof anything;

const words = ['equals', 'atLeast', 'atMost', 'between', 'matches', 'jsonpath'] as const;

/** The tolerances that a type of measure can have, in words, for hints. */
function formsFor({ unit, type }: Compared): string {
  if (type === 'truth') return 'write true or false';
  if (type === 'text') return "write a text, { matches: 'a regex' } or { jsonpath: '$.status', equals: up }";
  const [low, high] = samples[unit];
  return `write { atLeast: ${low} }, { atMost: ${high} } or { between: [${low}, ${high}] }`;
}

/** A measure that never is exactly what somebody wrote: `p99: 250ms`. Zero and all of them can be meant. */
function isHardlyEver({ unit, type }: Compared, value: number): boolean {
  if (type !== 'number') return false;
  return unit === 'ms' || (unit === '%' && value !== 0 && value !== 100) || (unit === '/s' && value !== 0);
}

function equalsNumber(problems: Problems, part: Part, what: string, compared: Compared): Tolerance | undefined {
  const value = readers[compared.unit](problems, part, what);
  if (value === undefined) return undefined;
  if (!isHardlyEver(compared, value)) return { kind: 'equals', value };
  const shown = part.kind === 'scalar' ? part.source : '';
  const form = compared.unit === 'ms' ? 'atMost' : 'atLeast';
  return problems.add(part.at, `${what} is hardly ever ${shown} exactly`, `write { ${form}: ${shown} }`);
}

/** Any plain data. */
function jsonOf(part: Part): Json {
  switch (part.kind) {
    case 'scalar':
      return part.value;
    case 'list':
      return part.items.map(jsonOf);
    case 'map':
      return Object.fromEntries(part.entries.map(({ key, value }) => [key, jsonOf(value)]));
  }
}

function equals(problems: Problems, part: Part, what: string, compared: Compared): Tolerance | undefined {
  if (compared.type === undefined) return { kind: 'equals', value: jsonOf(part) };
  if (compared.type === 'number') return equalsNumber(problems, part, what, compared);
  const isScalar = part.kind === 'scalar' && part.value !== null;
  if (isScalar && compared.type === 'truth' && typeof part.value === 'boolean') {
    return { kind: 'equals', value: part.value };
  }
  // A measured text is a text also where it looks like a number: `output: 5`.
  if (isScalar && compared.type === 'text') {
    return { kind: 'equals', value: typeof part.value === 'string' ? part.value : part.source };
  }
  const wanted = compared.type === 'truth' ? 'true or false' : 'a text';
  return problems.add(part.at, `${what} must be ${wanted}, not ${describePart(part)}`, formsFor(compared));
}

const betweenEnds =
  (compared: Compared): Reader<readonly [number, number]> =>
  (problems, part, what) => {
    if (part.kind !== 'list' || part.items.length !== 2) {
      return problems.add(
        part.at,
        `${what} must be a list of two values`,
        `write [${samples[compared.unit].join(', ')}]`,
      );
    }
    const ends = part.items.map((item) => readers[compared.unit](problems, item, what));
    const [low, high] = ends;
    return low === undefined || high === undefined ? undefined : [low, high];
  };

/** The keys of a range, in the order in which they are told. */
function rangeOf(fields: Fields, what: string, compared: Compared): Tolerance | undefined {
  const { problems, at, entry } = fields;
  const reader = readers[compared.unit];
  const between = optional(fields, 'between', betweenEnds(compared));
  const low = optional(fields, 'atLeast', reader) ?? between?.[0];
  const high = optional(fields, 'atMost', reader) ?? between?.[1];
  if (entry('between') !== undefined && (entry('atLeast') ?? entry('atMost')) !== undefined) {
    return problems.add(at, `${what} has both "between" and one of its ends`, 'write { between: [a, b] } alone');
  }
  if (low === undefined && high === undefined) return undefined;
  if (low === undefined || high === undefined || low <= high) return { kind: 'range', atLeast: low, atMost: high };
  return problems.add(at, `${what} can never be that: the lower end is above the upper one`, 'swap them');
}

/** The keys of a tolerance that a type of measure cannot have. */
function refusedWords({ type }: Compared): readonly string[] {
  switch (type) {
    case 'number':
      return ['matches', 'jsonpath'];
    case 'text':
      return ['atLeast', 'atMost', 'between'];
    case 'truth':
      return ['atLeast', 'atMost', 'between', 'matches', 'jsonpath'];
    default:
      return ['jsonpath'];
  }
}

const typeNames = { number: 'a number', text: 'a text', truth: 'true or false' } as const;

function refuseUnfit(fields: Fields, what: string, compared: Compared): boolean {
  const unfit = refusedWords(compared).flatMap((key) => fields.entry(key) ?? []);
  for (const { key, keyAt } of unfit) {
    const is = compared.type === undefined ? 'what a query has found' : typeNames[compared.type];
    fields.problems.add(keyAt, `${what} is ${is}, to which "${key}" does not apply`, unfitHint(compared));
  }
  return unfit.length > 0;
}

function unfitHint(compared: Compared): string {
  if (compared.type === 'text') {
    return "write { matches: 'a regex' }, or { jsonpath: '$', atLeast: 3 } for a number in it";
  }
  return compared.type === undefined ? 'one query is enough' : formsFor(compared);
}

/** What stands beside `jsonpath`: a tolerance of its own. */
async function ofQuery(problems: Problems, map: MapPart, what: string): Promise<Tolerance | undefined> {
  const query = map.entries.find(({ key }) => key === 'jsonpath');
  if (query === undefined) return undefined;
  const source = text(problems, query.value, 'jsonpath');
  const wrong = source === undefined ? undefined : await refuseQuery(source);
  if (source !== undefined && wrong !== undefined) {
    const hint = "write a query of RFC 9535, such as '$.status' or '$.items[0].name'";
    problems.add(query.value.at, `"${source.slice(0, 80)}" is no JSONPath: ${wrong}`, hint);
  }
  const others = map.entries.filter((entry) => entry !== query);
  if (others.length === 0) {
    return problems.add(
      map.at,
      `${what} says nothing of what the query must find`,
      'add equals, atLeast, atMost, between or matches',
    );
  }
  const tolerance = await tolerances(problems, { ...map, entries: others }, what, anything);
  return source === undefined || wrong !== undefined || tolerance === undefined
    ? undefined
    : { kind: 'jsonpath', query: source, tolerance };
}

async function tolerances(
  problems: Problems,
  map: MapPart,
  what: string,
  compared: Compared,
): Promise<Tolerance | undefined> {
  const fields = fieldsOf(problems, map, `the tolerance of ${what}`, words);
  if (refuseUnfit(fields, what, compared)) return undefined;
  if (fields.entry('jsonpath') !== undefined) return ofQuery(problems, map, what);
  const kinds = ['equals', 'matches'].filter((key) => fields.entry(key) !== undefined);
  const ranged = ['atLeast', 'atMost', 'between'].some((key) => fields.entry(key) !== undefined);
  if (kinds.length + Number(ranged) > 1) {
    const names = listed(map.entries.map(({ key }) => key));
    return problems.add(map.at, `${what} must be several things at once: ${names}`, 'keep one of them');
  }
  const exact = fields.entry('equals');
  if (exact !== undefined) return equals(problems, exact.value, what, compared);
  if (ranged) return rangeOf(fields, what, compared);
  const source = optional(fields, 'matches', regex);
  if (source !== undefined) return { kind: 'pattern', source };
  // An unknown key was told already; with nothing at all there is more to say.
  return map.entries.length > 0 ? undefined : problems.add(map.at, `${what} has no tolerance`, formsFor(compared));
}

/** @param what names the measure in problems: `p99` */
export async function toleranceOf(
  problems: Problems,
  part: Part,
  what: string,
  measure: Measure,
): Promise<Tolerance | undefined> {
  if (part.kind === 'map') return tolerances(problems, part, what, measure);
  if (isNothing(part)) return problems.add(part.at, `${what} has no tolerance`, formsFor(measure));
  return equals(problems, part, what, measure);
}
