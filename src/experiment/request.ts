import { type Static, boolean, integer, number, object, optional, string } from '../base/schema-types.ts';
import { parseDuration } from '../base/duration.ts';
import { FaultlineError } from '../base/error.ts';
import type { JsonObject } from '../base/json.ts';
import { type Presentation, parseInput } from '../base/schema.ts';
import { printable } from '../base/text.ts';
import { actionNamed, faultOf } from '../faults/registry.ts';
import { randomUuid } from '../linux/random-uuid.ts';
import { editDistance } from '../targets/near-names.ts';
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
  /** The uid of the schedule that it is a run of. */
  readonly schedule?: string;
  /** The uid of the run of an experiment that it is a part of: its blast radius holds, and its lease ends with it. */
  readonly run?: string;
  /**
   * Is it still to be done? Asked with the journal's lock held, since it may have been taken back while it was planned.
   * Absent: yes.
   */
  readonly stillWanted?: () => boolean;
}

/** The fields of a body that are for every attack; the others are the fault's. */
const commonFields = new Set(Object.keys(attackSchema.properties));

/**
 * A request as one flat object, as it goes over a wire: `kind`, `action`, and beside them what the flags would say.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, UID_INVALID, DURATION_INVALID, FAULT_UNKNOWN
 */
export async function parseAttackBody(body: JsonObject): Promise<AttackRequest> {
  const { kind, action, ...fields } = body;
  if (typeof kind !== 'string' || typeof action !== 'string') {
    throw new FaultlineError('ARGUMENT_INVALID', 'kind and action must be given, as text', {
      hint: 'for example {"kind":"process","action":"stop","process":"nginx","duration":"30s"}',
    });
  }
  const name = knownAction(kind, action);
  refuseUnknownFields(kind, name, Object.keys(fields));
  const of = (common: boolean): JsonObject =>
    Object.fromEntries(Object.entries(fields).filter(([key]) => commonFields.has(key) === common));
  return parseAttack(kind, name, of(true), of(false));
}

/** @throws {FaultlineError} ARGUMENT_INVALID, with the field that may have been meant */
function refuseUnknownFields(kind: string, action: string, given: readonly string[]): void {
  const properties = Object.entries(faultOf(kind).actions[action]?.schema.properties ?? {});
  const aliases = properties.flatMap(
    ([, schema]) => (schema as { readonly aliases?: readonly string[] }).aliases ?? [],
  );
  const known = [...properties.map(([name]) => name), ...commonFields];
  const unknown = given.find((field) => !known.includes(field) && !aliases.includes(field));
  if (unknown === undefined) return;
  const plain = unknown.slice(0, 80).toLowerCase().replaceAll(/[-_]/g, '');
  const near = known.find((field) => editDistance(plain, field.toLowerCase()) <= 2);
  throw new FaultlineError('ARGUMENT_INVALID', `there is nothing called ${printable(unknown.slice(0, 80))} here`, {
    hint: near === undefined ? `there is: ${known.join(', ')}` : `did you mean ${near}?`,
    details: { path: `/${unknown.slice(0, 80)}` },
  });
}

/** {@link parseAttackBody} backwards, for whoever sends it on: with its uid, so that it may be sent again. */
export function attackBody(request: AttackRequest): JsonObject {
  const { kind, action, uid, limits, allowOverlap, allowProtected, input } = request;
  return {
    ...input,
    kind,
    action,
    uid,
    ...(request.leaseMs === undefined ? {} : { duration: `${request.leaseMs}ms` }),
    ...(limits.maxTargets === undefined ? {} : { maxTargets: limits.maxTargets }),
    ...(limits.maxPercent === undefined ? {} : { maxPercent: limits.maxPercent }),
    ...(allowOverlap ? { allowOverlap } : {}),
    ...(allowProtected ? { allowProtected } : {}),
  };
}

function uidOf(common: Static<typeof attackSchema>): string {
  return common.uid ?? randomUuid();
}

/** What a fault does for an action that it does not know would be a guess. @returns the action's own name */
function knownAction(kind: string, action: string): string {
  const fault = faultOf(kind);
  const known = actionNamed(fault, action);
  if (known !== undefined) return known;
  throw new FaultlineError('FAULT_UNKNOWN', `the fault ${kind} has no action "${printable(action.slice(0, 80))}"`, {
    hint: `there is: ${Object.keys(fault.actions).join(', ')}`,
  });
}

/**
 * Check what is common to all attacks; `input` is left to the fault.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, UID_INVALID, DURATION_INVALID, FAULT_UNKNOWN
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
  const name = knownAction(kind, action);
  const common = await parseInput(attackSchema, options);
  return Object.freeze({
    kind,
    action: name,
    uid: uidOf(common),
    leaseMs: common.duration === undefined ? undefined : parseDuration(common.duration, '--duration'),
    limits: Object.freeze({ maxTargets: common.maxTargets, maxPercent: common.maxPercent }),
    allowOverlap: common.allowOverlap ?? false,
    allowProtected: common.allowProtected ?? false,
    input,
  });
}
