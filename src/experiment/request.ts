import { type Static, boolean, integer, number, object, optional, string } from '../base/schema-types.ts';
import { parseDuration } from '../base/duration.ts';
import { FaultlineError } from '../base/error.ts';
import type { JsonObject } from '../base/json.ts';
import { type Presentation, parseInput } from '../base/schema.ts';
import { randomUuid } from '../linux/random-uuid.ts';
import type { Limits } from './guard.ts';

const present = (presentation: Presentation): Presentation => presentation;

/** What every attack takes, whatever its fault: flags of the command, fields of the body. */
export const attackSchema = object(
  {
    uid: optional(
      string({
        ...present({ description: 'Identify the injection by ID instead of a random UUID', placeholder: 'ID' }),
        pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$',
      }),
    ),
    duration: optional(
      string(
        present({
          description: 'Undo it after this long, counted from the injection (30s, 5m, 1h30m)',
          placeholder: 'TIME',
          completion: 'duration',
        }),
      ),
    ),
    maxTargets: optional(
      integer({
        ...present({ description: 'Refuse to touch more targets than this', placeholder: 'N' }),
        minimum: 1,
      }),
    ),
    maxPercent: optional(
      number({
        ...present({ description: 'Refuse to touch more than this share of the targets matched', placeholder: 'P' }),
        exclusiveMinimum: 0,
        maximum: 100,
      }),
    ),
    allowOverlap: optional(boolean(present({ description: 'Allow targets on which another injection is live' }))),
    allowProtected: optional(boolean(present({ description: 'Allow sshd and the names that the policy protects' }))),
  },
  { additionalProperties: false },
);

/** A checked request to inject. */
export interface AttackRequest {
  readonly kind: string;
  readonly action: string;
  readonly uid: string;
  readonly leaseMs: number | undefined;
  readonly limits: Limits;
  readonly allowOverlap: boolean;
  readonly allowProtected: boolean;
  /** Input of the fault itself, still to be parsed by it. */
  readonly input: JsonObject;
}

function uidOf(common: Static<typeof attackSchema>): string {
  return common.uid ?? randomUuid();
}

/**
 * Check what is common to all attacks; `input` is left to the fault.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, UID_INVALID, DURATION_INVALID
 */
export async function parseAttack(
  kind: string,
  action: string,
  options: JsonObject,
  input: JsonObject,
): Promise<AttackRequest> {
  const { uid } = options;
  if (typeof uid === 'string' && !/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(uid)) {
    throw new FaultlineError('UID_INVALID', 'the uid is not valid', {
      hint: 'up to 128 letters, digits and . _ : -, beginning with a letter or digit',
    });
  }
  const common = await parseInput(attackSchema, options);
  return Object.freeze({
    kind,
    action,
    uid: uidOf(common),
    leaseMs: common.duration === undefined ? undefined : parseDuration(common.duration, '--duration'),
    limits: Object.freeze({ maxTargets: common.maxTargets, maxPercent: common.maxPercent }),
    allowOverlap: common.allowOverlap ?? false,
    allowProtected: common.allowProtected ?? false,
    input,
  });
}
