import type { InjectionDocument, PlanDocument } from '../../api/documents.ts';
import type { Operations } from '../../api/operations.ts';
import { FaultlineError } from '../../base/error.ts';
import { type JsonObject, textOf } from '../../base/json.ts';
import { flagName } from '../../base/schema.ts';
import { printable } from '../../base/text.ts';
import { type AttackRequest, parseAttack } from '../../experiment/request.ts';
import { differencesFrom } from '../../experiment/same-request.ts';
import { type ChaosObject, objectLabel, type ReadObject } from '../../faults/objects.ts';
import { type Place, placed } from '../../faults/yaml-fields.ts';
import { standingOf, uidOf } from './standing.ts';

/*
 * All that can be known of a file's objects before the first of them is injected.
 */

/** What the flags say. */
export interface ObjectFlags {
  /** Of the fault: whom it hits, and what else the file has no word for. */
  readonly input: JsonObject;
  /** Of every attack: limits and permissions. */
  readonly common: JsonObject;
}

/** An object that was understood. */
export interface Understood {
  readonly object: ChaosObject;
  /** Where what it asks for begins. */
  readonly at: Place;
  /** Under the first uid that it may have. */
  readonly request: AttackRequest;
  readonly notes: readonly string[];
}

/** An object that is in force already, or that may be injected as far as can be told. */
export type Checked = Understood &
  (
    | { readonly live: InjectionDocument; readonly plan: undefined }
    | { readonly live: undefined; readonly plan: PlanDocument }
  );

/** `--in-pid 4123 and --mode one` */
function flagsText(names: readonly string[], input: JsonObject): string {
  return names.map((name) => `--${flagName(name)} ${printable(textOf(input[name]))}`).join(' and ');
}

function podNotes({ kind }: ChaosObject, { podChoices }: ReadObject, { input }: ObjectFlags): readonly string[] {
  if (podChoices.length === 0) return [];
  const chosen = kind.selection.filter((name) => input[name] !== undefined);
  const instead = chosen.length === 0 ? kind.unselected : `${flagsText(chosen, input)} says which processes are meant`;
  return [`${podChoices.join(', ')}: not used, for there are no pods on a host; ${instead}`];
}

/** @throws {FaultlineError} whatever the fault has against its input, with the place of it */
async function refuseFaulty(object: ChaosObject, { action, places, at }: ReadObject, input: JsonObject): Promise<void> {
  const fault = await object.fault.load();
  try {
    await fault.parse(action, input);
  } catch (error) {
    const path = error instanceof FaultlineError ? error.details?.['path'] : undefined;
    const property = typeof path === 'string' ? (path.split('/')[1] ?? '') : '';
    throw placed(places[property] ?? at, error);
  }
}

/**
 * What an object asks for, with what the flags say. Nothing is looked at but the file.
 *
 * @throws {FaultlineError} with line and column
 */
export async function understand(object: ChaosObject, flags: ObjectFlags): Promise<Understood> {
  const read = await object.read();
  const input = { ...read.input, ...flags.input };
  await refuseFaulty(object, read, input);
  const duration = read.duration === null ? {} : { duration: read.duration };
  const common = { ...flags.common, uid: uidOf(object), ...duration };
  const request = await parseAttack(object.fault.kind, read.action, common, input);
  const notes = [...read.notes, ...podNotes(object, read, flags)];
  return Object.freeze({ object, at: read.at, request, notes });
}

/** @throws {FaultlineError} INJECTION_EXISTS: it is in force in other words */
export async function refuseChanged({ request }: Understood, live: InjectionDocument): Promise<void> {
  const changed = await differencesFrom(live, request);
  if (changed.length === 0) return;
  const what = changed.map((name) => printable(name)).join(', ');
  throw new FaultlineError('INJECTION_EXISTS', `it is in force as ${live.uid}, with other words: ${what}`, {
    hint: 'end that first: faultline delete -f FILE; then apply the file again',
    details: { uid: live.uid, changed },
  });
}

/** The same error, told of an object of a file. */
export function ofObject({ object, at }: Understood, error: unknown): unknown {
  if (!(error instanceof FaultlineError)) return error;
  const { code, message, hint, details } = error;
  const named = new FaultlineError(code, `${objectLabel(object)}: ${message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  });
  return placed(at, named);
}

/** In the words of the file, or refused. */
async function inForce(understood: Understood, live: InjectionDocument): Promise<Checked> {
  await refuseChanged(understood, live);
  return { ...understood, request: { ...understood.request, uid: live.uid }, live, plan: undefined };
}

async function planned(operations: Operations, understood: Understood, uid: string): Promise<Checked> {
  const request: AttackRequest = { ...understood.request, uid };
  try {
    return { ...understood, request, live: undefined, plan: await operations.plan(request) };
  } catch (error) {
    // What stands in the way may be this very object, which another command has put in force meanwhile.
    const { live } = await standingOf(operations, understood.object);
    if (live === undefined) throw error;
    return inForce(understood, live);
  }
}

async function checkOne(operations: Operations, understood: Understood): Promise<Checked> {
  try {
    const { uid, live } = await standingOf(operations, understood.object);
    return await (live === undefined ? planned(operations, understood, uid) : inForce(understood, live));
  } catch (error) {
    throw ofObject(understood, error);
  }
}

/** Two objects that would touch the same are found by the guard when the second is injected: too late. */
function refuseOverlap(checked: readonly Checked[]): void {
  const taken = new Map<string, Checked>();
  for (const one of checked) {
    if (one.plan === undefined || one.request.allowOverlap) continue;
    for (const { key, label } of one.plan.targets) {
      const other = taken.get(key);
      if (other === undefined) taken.set(key, one);
      else if (other !== one) throw ofObject(one, overlap(other, label));
    }
  }
}

function overlap({ object }: Checked, label: string): FaultlineError {
  return new FaultlineError('GUARD_CONFLICT', `${printable(label)} is what ${objectLabel(object)} touches, too`, {
    hint: 'a target takes one injection at a time, unless --allow-overlap is given and the fault can do with it',
    details: { rule: 'conflict' },
  });
}

/**
 * Look whether each object is in force, and if not, whether it may be injected. Changes nothing.
 *
 * @throws {FaultlineError} whatever stands in the way of one of them, with its name and place
 */
export async function checkAll(operations: Operations, all: readonly Understood[]): Promise<readonly Checked[]> {
  const checked: Checked[] = [];
  for (const one of all) checked.push(await checkOne(operations, one));
  refuseOverlap(checked);
  return checked;
}
