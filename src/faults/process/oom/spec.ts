import type { Static } from '../../../base/schema-types.ts';
import { parseDuration } from '../../../base/duration.ts';
import type { JsonObject } from '../../../base/json.ts';
import { parseInput } from '../../../base/schema.ts';
import { parseCriteria } from '../../../targets/criteria.ts';
import { oomSchema } from '../schema.ts';

/** Whom the OOM killer is to kill, with every default filled in. */
export interface OomSpec {
  /** As given; `parseCriteria` reads it again. */
  readonly criteria: JsonObject;
  readonly waitMs: number;
}

/** @throws {FaultlineError} ARGUMENT_INVALID, DURATION_INVALID, NAME_INVALID, PID_INVALID, REGEX_INVALID */
export async function parseOomSpec(raw: JsonObject): Promise<OomSpec> {
  const { wait, ...criteria }: Static<typeof oomSchema> = await parseInput(oomSchema, raw);
  parseCriteria(criteria);
  return Object.freeze({
    criteria,
    waitMs: wait === undefined ? 30_000 : parseDuration(wait, '--wait'),
  });
}
