import { errorCodes } from '../../base/error-codes.ts';
import { isFaultlineError, type FaultlineError } from '../../base/error.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { attackSchema, parseAttackBody } from '../../experiment/request.ts';
import type { FaultDescriptor } from '../../faults/fault.ts';
import { nearHint } from '../../faults/near.ts';
import { actionNamed, faults } from '../../faults/registry.ts';
import type { Problems } from './problems.ts';
import { text } from './scalars.ts';
import type { Entry, MapPart, Part } from './tree.ts';

/*
 * The attack of a step: which one it is, and whether its options are what that attack takes. The fault itself says so.
 */

/** Which fault, and which of its actions. */
export interface NamedAttack {
  readonly fault: FaultDescriptor;
  readonly action: string;
}

const allAttacks = (): readonly string[] =>
  faults.flatMap(({ kind, actions }) => Object.keys(actions).map((action) => `${kind} ${action}`));

/** `process kill` */
export function attackNamed(problems: Problems, part: Part): NamedAttack | undefined {
  const given = text(problems, part, 'attack');
  if (given === undefined) return undefined;
  const [kind = '', action, ...rest] = given.trim().split(/\s+/u);
  const fault = faults.find((one) => one.kind === kind);
  const own =
    fault === undefined || rest.length > 0 ? undefined : actionNamed(fault, action ?? fault.defaultAction ?? '');
  if (fault !== undefined && own !== undefined) return { fault, action: own };
  return problems.add(part.at, `there is no attack "${given.slice(0, 80)}"`, nearHint(given, allAttacks()));
}

/** Any plain data, as the body of the HTTP API has it. */
function plainData(part: Part): Json {
  switch (part.kind) {
    case 'scalar':
      return part.value;
    case 'list':
      return part.items.map(plainData);
    case 'map':
      return Object.fromEntries(part.entries.map(({ key, value }) => [key, plainData(value)]));
  }
}

/** The names of options that an attack takes, with the other spellings that clients send. */
function knownOptions({ fault, action }: NamedAttack): { readonly own: readonly string[]; readonly all: Set<string> } {
  const properties = fault.actions[action]?.schema.properties ?? {};
  const aliases = Object.values(properties).flatMap(({ aliases: found }): readonly unknown[] =>
    Array.isArray(found) ? found : [],
  );
  const own = [...Object.keys(properties), ...Object.keys(attackSchema.properties)].filter((name) => name !== 'uid');
  return { own, all: new Set([...own, ...aliases.map(String)]) };
}

function tellUnknown(problems: Problems, map: MapPart, attack: NamedAttack): MapPart {
  const { own, all } = knownOptions(attack);
  const known = map.entries.filter(({ key, keyAt }) => {
    if (all.has(key)) return true;
    const name = `${attack.fault.kind} ${attack.action}`;
    if (key === 'uid') {
      problems.add(keyAt, 'the run gives its injections their uids', 'take it away; name is for people');
    } else {
      problems.add(keyAt, `${name} has no option "${key.slice(0, 80)}"`, nearHint(key, own));
    }
    return false;
  });
  return { ...map, entries: known };
}

/** Where in a part a JSON pointer (RFC 6901) leads, as far as it goes. */
function partAt(part: Part, [next, ...rest]: readonly string[]): Part {
  if (next === undefined || part.kind === 'scalar') return part;
  const below = part.kind === 'list' ? part.items[Number(next)] : part.entries.find(({ key }) => key === next)?.value;
  return below === undefined ? part : partAt(below, rest);
}

const camelCase = (flag: string): string => flag.replaceAll(/-([a-z])/gu, (_, letter: string) => letter.toUpperCase());

/** The option that an error is about: it says so, or names its flag, or quotes its value. */
function faultyEntry({ details, message }: FaultlineError, { entries }: MapPart): Entry | undefined {
  const path = details?.['path'];
  const [, property] = typeof path === 'string' ? path.split('/') : [];
  const named = entries.find(({ key }) => key === property);
  if (named !== undefined) return named;
  const flags = [...message.matchAll(/--([a-z-]+)/gu)].map(([, flag = '']) => camelCase(flag));
  const quoted = [...message.matchAll(/"([^"]*)"/gu)].map(([, value]) => value);
  return (
    entries.find(({ key }) => flags.includes(key)) ??
    entries.find(({ value }) => value.kind === 'scalar' && quoted.includes(value.source))
  );
}

/** In a list of rules: the rule that an error is about, which it tells by its number. */
function faultyRule({ message }: FaultlineError, { entries }: MapPart): MapPart | undefined {
  const [, number] = /^rule (\d+) of the list: /u.exec(message) ?? [];
  const list = entries.find(({ value }) => value.kind === 'list')?.value;
  const rule = list?.kind === 'list' ? list.items[Number(number) - 1] : undefined;
  return rule?.kind === 'map' ? rule : undefined;
}

/** A file has options, not flags: `--byComm` is `byComm`. */
function inWordsOfFile(text: string): string {
  return text.replaceAll(/ \(--[a-z-]+\)/gu, '').replaceAll(/--([a-z][a-z-]*)/gu, (_, flag: string) => camelCase(flag));
}

function tellFaulty(problems: Problems, error: FaultlineError, options: MapPart): void {
  const map = faultyRule(error, options) ?? options;
  const entry = faultyEntry(error, map);
  const path = error.details?.['path'];
  const below = typeof path === 'string' ? path.split('/').slice(2) : [];
  const at = entry === undefined ? map.at : partAt(entry.value, below).at;
  problems.add(at, inWordsOfFile(error.message), inWordsOfFile(error.hint ?? 'see the help of the attack'));
}

/**
 * The options of an attack, checked by its fault as far as that does not depend on the host.
 *
 * @param map `with`; of a step without one: the step, without entries
 */
export async function optionsOf(problems: Problems, map: MapPart, attack: NamedAttack): Promise<JsonObject> {
  const known = tellUnknown(problems, map, attack);
  const options = plainData(known) as JsonObject;
  try {
    const { input } = await parseAttackBody({ ...options, kind: attack.fault.kind, action: attack.action });
    await (await attack.fault.load()).parse(attack.action, input);
  } catch (error) {
    if (!isFaultlineError(error)) throw error;
    // What the host lacks is no mistake of the file; whoever plans or attacks there is told.
    const isMistake = errorCodes[error.code].http === 400 || errorCodes[error.code].exit === 128;
    if (isMistake && known.entries.length === map.entries.length) tellFaulty(problems, error, known);
  }
  return options;
}
