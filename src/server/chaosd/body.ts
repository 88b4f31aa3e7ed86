import { FaultlineError } from '../../base/error.ts';
import { type Json, type JsonObject, textOf } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import { attackSchema } from '../../experiment/request.ts';
import type { FaultDescriptor } from '../../faults/fault.ts';
import { actionNamed } from '../../faults/registry.ts';
import { parseSignal } from '../../linux/signals.ts';
import { mayNest } from '../nested-fields.ts';

/*
 * What chaosd's clients send, made into what ours do. Those written in Go send every field that there is, with zero
 * values for what is not set, and Go reads the names of fields in any case.
 */

/** An attack as a client of chaosd asks for it, in our words; `schedule` is set apart. */
export interface ChaosdAttack {
  /** For `parseAttackBody`. */
  readonly body: JsonObject;
  readonly schedule: string | undefined;
}

/** chaosd's own spellings and fields, in lower case. */
const aliases: readonly (readonly [string, string])[] = [
  ['recover-cmd', 'recoverCmd'],
  ['schedule', 'schedule'],
  ['kind', 'kind'],
  ['action', 'action'],
  ['pids', 'pids'],
];

/** Spellings of Chaos Mesh, which the fault itself understands. */
function aliasesIn(properties: Readonly<Record<string, object>>): readonly (readonly [string, string])[] {
  return Object.values(properties).flatMap((schema) => {
    const { aliases: others = [] } = schema as { readonly aliases?: readonly string[] };
    return others.map((name) => [name.toLowerCase(), name] as const);
  });
}

function knownNames(fault: FaultDescriptor): ReadonlyMap<string, string> {
  const properties = Object.values(fault.actions).flatMap(({ schema }) => Object.keys(schema.properties));
  const names = [...properties, ...Object.keys(attackSchema.properties)];
  const own = Object.values(fault.actions).flatMap(({ schema }) => aliasesIn(schema.properties));
  return new Map([...own, ...names.map((name) => [name.toLowerCase(), name] as const), ...aliases]);
}

/** For whoever looks for a field, without those that say nothing new. */
function fieldNames(known: ReadonlyMap<string, string>): readonly string[] {
  return [...new Set(known.values())].filter((name) => name !== 'kind' && name !== 'pids');
}

function refuse(sentence: string, hint: string): never {
  throw new FaultlineError('ARGUMENT_INVALID', sentence, { hint });
}

function isUnset(name: string, value: unknown): boolean {
  if (value === null || value === '') return true;
  // Signal 0 is no signal; the processes of an attack are chaosd's own note to itself.
  return (name === 'signal' && value === 0) || (name === 'pids' && Array.isArray(value) && value.length === 0);
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** A field is a plain value or a list of such, but for the few that take objects. */
function plainValue(name: string, value: unknown): Json {
  if (isScalar(value) || (Array.isArray(value) && value.every(isScalar)) || mayNest(name)) return value as Json;
  return refuse(`${printable(name)} is not valid: it holds an object`, 'the body is flat: names and plain values');
}

function isObject(input: unknown): input is Readonly<Record<string, unknown>> {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

/** The fields that are set, by our names for them. */
function fieldsOf(fault: FaultDescriptor, input: unknown): Readonly<Record<string, Json>> {
  if (!isObject(input)) {
    return refuse('the body is not a JSON object', 'for example {"process":"nginx","signal":15}');
  }
  const known = knownNames(fault);
  const fields = new Map<string, Json>();
  for (const [given, value] of Object.entries(input)) {
    const name = known.get(given.toLowerCase());
    if (name === undefined) {
      refuse(`there is no field "${printable(given.slice(0, 80))}"`, `there is: ${fieldNames(known).join(', ')}`);
    }
    if (isUnset(name, value)) continue;
    if (fields.has(name)) refuse(`${name} is given twice`, 'in different spellings; leave one of them out');
    fields.set(name, plainValue(name, value));
  }
  return Object.fromEntries(fields);
}

/** SIGSTOP is the one signal that chaosd recovers: it is what its `stop` sends. */
const stopSignal = 'SIGSTOP';

function isStop(signal: Json | undefined): boolean {
  return (typeof signal === 'number' || typeof signal === 'string') && parseSignal(signal).name === stopSignal;
}

/** Chaos Mesh gives up after five seconds and asks again: by then the answer should be there. */
const answerWithin = '4s';

/** chaosd's service goes by the signal alone; its command line has an action for SIGSTOP, which ours are. */
function processAction(fields: JsonObject): JsonObject {
  const { action, signal } = fields;
  if (action === undefined) {
    if (!isStop(signal)) return { ...fields, action: 'kill' };
  } else if (action !== 'stop' || signal === undefined) {
    return fields;
  } else if (!isStop(signal)) {
    refuse('action stop sends SIGSTOP, and signal says another', 'leave one of the two out');
  }
  const { signal: _stop, ...rest } = fields;
  return { ...rest, action: 'stop' };
}

function onlyAction(fault: FaultDescriptor, fields: JsonObject): JsonObject {
  const actions = Object.keys(fault.actions);
  const [first] = actions;
  if (fields['action'] !== undefined) return fields;
  if (first === undefined || actions.length > 1) refuse('which action?', `there is: ${actions.join(', ')}`);
  return { ...fields, action: first };
}

function refuseUnknownAction(fault: FaultDescriptor, action: Json | undefined): void {
  const actions = Object.keys(fault.actions);
  if (typeof action === 'string' && actionNamed(fault, action) !== undefined) return;
  refuse(`there is no action "${printable(textOf(action).slice(0, 80))}"`, `there is: ${actions.join(', ')}`);
}

/**
 * Read a body as chaosd's clients write it.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, SIGNAL_UNKNOWN
 */
export function readAttack(fault: FaultDescriptor, input: unknown): ChaosdAttack {
  const { schedule, kind, pids, ...fields } = fieldsOf(fault, input);
  if (kind !== undefined && kind !== fault.kind) {
    refuse(`kind is not valid: the attack is ${fault.kind}`, 'leave it out; the path says it');
  }
  if (pids !== undefined) refuse('pids cannot be given', 'name one process, or more by other criteria');
  if (schedule !== undefined && typeof schedule !== 'string') {
    refuse('schedule is not valid', 'five fields as in crontab(5), or @every 10s');
  }
  const acting =
    fault.kind === 'process' ? processAction({ wait: answerWithin, ...fields }) : onlyAction(fault, fields);
  refuseUnknownAction(fault, acting['action']);
  return { body: { ...acting, kind: fault.kind }, schedule };
}
