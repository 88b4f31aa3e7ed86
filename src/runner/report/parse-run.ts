import { FaultlineError, isFaultlineError } from '../../base/error.ts';
import { textOf } from '../../base/json.ts';
import { parseInput } from '../../base/schema.ts';
import {
  array,
  boolean,
  integer,
  literal,
  nothing,
  number,
  object,
  optional,
  string,
  type TSchema,
  union,
} from '../../base/schema-types.ts';
import { plain } from './plain-text.ts';
import type { RunDocument } from '../result.ts';

const orNothing = (schema: TSchema): TSchema => union([schema, nothing()]);
const oneOf = (...words: readonly string[]): TSchema => union(words.map((word) => literal(word)));

const phase = oneOf('before', 'method', 'rollback', 'after');
/** Milliseconds since the run began. */
const ms = number({ minimum: 0 });
const facts = object({});

const experiment = object({
  name: string(),
  description: orNothing(string()),
  hypothesis: string(),
  file: string(),
  sha256: string(),
  text: string(),
});

const host = object({ name: string(), kernel: string(), cpus: number(), faultline: string(), user: string() });

const deviation = object({
  probe: string(),
  measure: string(),
  expected: string(),
  actual: string(),
  phase,
  atMs: ms,
});

const limits = { atLeast: orNothing(number()), atMost: orNothing(number()) };

const series = object({
  measure: string(),
  unit: string(),
  ...limits,
  during: optional(object(limits)),
  points: array(array(orNothing(number()), { minItems: 2, maxItems: 2 })),
});

const probe = object({
  name: string(),
  kind: string(),
  target: string(),
  judgements: array(object({ phase, measure: string(), expected: string(), actual: string(), held: boolean() })),
  series: array(series),
  failures: object({}, { additionalProperties: number() }),
});

const step = object({
  path: string(),
  text: string(),
  fromMs: ms,
  toMs: orNothing(ms),
  outcome: oneOf('done', 'failed', 'skipped', 'interrupted'),
  detail: orNothing(string()),
});

const injection = object({
  uid: string(),
  name: string(),
  fault: string(),
  action: string(),
  command: string(),
  fromMs: ms,
  toMs: orNothing(ms),
  targets: array(object({ label: string(), verdict: string(), seen: string(), evidence: facts })),
  percent: orNothing(number()),
  state: string(),
});

const death = object({
  atMs: ms,
  pid: integer(),
  name: string(),
  cause: string(),
  injection: orNothing(string()),
  sentence: string(),
});

const extent = object({ targets: number(), percent: orNothing(number()), durationMs: ms });

const run = object({
  uid: string(),
  experiment,
  host,
  startedAt: string(),
  endedAt: orNothing(string()),
  durationMs: ms,
  verdict: orNothing(oneOf('held', 'deviated', 'aborted', 'error')),
  reason: string(),
  deviations: array(deviation),
  phases: array(object({ name: phase, fromMs: ms, toMs: ms })),
  probes: array(probe),
  steps: array(step),
  injections: array(injection),
  deaths: array(death),
  blastRadius: object({ planned: extent, actual: extent }),
  rollbacks: array(object({ text: string(), fromMs: ms, toMs: ms, succeeded: boolean(), detail: orNothing(string()) })),
  journal: array(object({ atMs: ms, text: string(), level: oneOf('info', 'good', 'bad') })),
});

/** Of a point only the value may be nothing, which the schema above cannot tell from its moment. */
function pointsHaveMoments(value: RunDocument): boolean {
  const moments = value.probes.flatMap((one) =>
    one.series.flatMap(({ points }) => points.map(([atMs]) => atMs as unknown)),
  );
  return moments.every((atMs) => typeof atMs === 'number');
}

function refusal(name: string, hint: string, cause?: unknown): FaultlineError {
  return new FaultlineError('ARGUMENT_INVALID', `${plain(name)} is not the document of a run`, { hint, cause });
}

function parsedJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw refusal(name, 'it is no JSON; give what faultline run -o json has printed', error);
  }
}

/**
 * The document of a run from text, as `faultline run -o json` prints it. It may hold more than is known here.
 *
 * @param name of the file, for errors
 * @throws {FaultlineError} ARGUMENT_INVALID: names the first part that is not as it should be
 */
export async function parseRun(text: string, name: string): Promise<RunDocument> {
  const value = parsedJson(text, name);
  try {
    const checked = (await parseInput(run, value)) as unknown as RunDocument;
    if (pointsHaveMoments(checked)) return checked;
  } catch (error) {
    if (!isFaultlineError(error)) throw error;
    const path = textOf(error.details?.['path'] ?? '');
    const where = path === '' ? 'it' : `${plain(path.slice(1).replaceAll('/', '.'))} in it`;
    throw refusal(name, `${where} is not as expected; give what faultline run -o json has printed`, error);
  }
  throw refusal(name, 'a point of a curve has no moment');
}
