import type { Static } from '../../base/schema-types.ts';
import { parseDuration } from '../../base/duration.ts';
import { FaultlineError } from '../../base/error.ts';
import type { JsonObject } from '../../base/json.ts';
import { parseInput } from '../../base/schema.ts';
import { parseSignal } from '../../linux/signals.ts';
import { parseCriteria } from '../../targets/criteria.ts';
import { killSchema, stopSchema } from './schema.ts';

/** What is to be done to processes, with every default filled in. */
export interface ProcessSpec {
  /** As given; `parseCriteria` reads it again at each round. */
  readonly criteria: JsonObject;
  readonly signal: number;
  /** Wait this long after `signal`, then SIGKILL. */
  readonly graceMs: number | null;
  readonly intervalMs: number | null;
  readonly waitMs: number;
  readonly observeMs: number;
  readonly recoverCmd: string | null;
  readonly recoverTimeoutMs: number;
}

const SIGKILL = 9;
const SIGTERM = 15;
const SIGSTOP = 19;

/** Below this, looking through /proc would be all that the keeper does. */
const minIntervalMs = 50;

const milliseconds = (value: string | undefined, flag: string): number | null =>
  value === undefined ? null : parseDuration(value, flag);

/** chaosd's clients send `recover-cmd`; ours `recoverCmd`. */
function withoutAliases(input: JsonObject): JsonObject {
  const { 'recover-cmd': alias, ...rest } = input;
  return alias === undefined || 'recoverCmd' in rest ? rest : { ...rest, recoverCmd: alias };
}

/** chaosd's clients send empty strings for what is not set. */
function withoutEmptyDefaults(input: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(input).filter(([key, value]) => !(key === 'recoverCmd' && value === '')));
}

interface Timing {
  readonly graceMs: number | null;
  readonly intervalMs: number | null;
}

function refuseContradictions(signal: number, timing: Timing): void {
  if (timing.graceMs !== null && signal === SIGKILL) {
    throw new FaultlineError('ARGUMENT_INVALID', '--grace with SIGKILL means nothing: it leaves no time', {
      hint: 'leave --signal out (SIGTERM is sent first), or name a gentler one',
    });
  }
  if (timing.intervalMs !== null && timing.intervalMs < minIntervalMs) {
    throw new FaultlineError('DURATION_INVALID', `--interval is shorter than ${minIntervalMs}ms`, {
      hint: `write ${minIntervalMs}ms or more`,
    });
  }
}

/** chaosd's default is SIGKILL; with a grace the first signal is the one that asks. */
function killSignal(given: string | number | undefined, graceMs: number | null): number {
  if (given !== undefined) return parseSignal(given).number;
  return graceMs === null ? SIGKILL : SIGTERM;
}

function criteriaOf(input: JsonObject): JsonObject {
  const own = new Set(['signal', 'grace', 'interval', 'observe', 'wait', 'recoverCmd', 'recoverTimeout']);
  return Object.fromEntries(Object.entries(input).filter(([key]) => !own.has(key)));
}

/**
 * Check the input of `kill` or `stop`.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, SIGNAL_UNKNOWN, DURATION_INVALID, NAME_INVALID, PID_INVALID, REGEX_INVALID
 */
export async function parseSpec(action: string, raw: JsonObject): Promise<ProcessSpec> {
  const given = withoutEmptyDefaults(withoutAliases(raw));
  const input: Static<typeof killSchema> = await parseInput(action === 'kill' ? killSchema : stopSchema, given);
  const graceMs = milliseconds(input.grace, '--grace');
  const intervalMs = milliseconds(input.interval, '--interval');
  const signal = action === 'stop' ? SIGSTOP : killSignal(input.signal, graceMs);
  refuseContradictions(signal, { graceMs, intervalMs });
  const criteria = criteriaOf(given);
  parseCriteria(criteria);
  return Object.freeze({
    criteria,
    signal,
    graceMs,
    intervalMs,
    waitMs: milliseconds(input.wait, '--wait') ?? 5_000,
    observeMs: milliseconds(input.observe, '--observe') ?? 0,
    recoverCmd: input.recoverCmd ?? null,
    recoverTimeoutMs: milliseconds(input.recoverTimeout, '--recover-timeout') ?? 30_000,
  });
}

/** The journal's copy. */
export function specToJson(spec: ProcessSpec): JsonObject {
  return { ...spec };
}

/** Back from the journal, where it was written by {@link specToJson}. */
export function specFromJson(json: JsonObject): ProcessSpec {
  return json as unknown as ProcessSpec;
}
