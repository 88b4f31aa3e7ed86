import { FaultlineError, isFaultlineError } from '../../base/error.ts';
import { type JsonObject, textOf } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import { attributeNames } from './attribute-changes.ts';
import { nearHint } from '../near.ts';
import type { IoRule } from './rule.ts';
import { parseRule } from './parse-rule.ts';
import { type RuleAction, ruleSchemas } from './schema.ts';

/*
 * Lists of rules: as Chaos Mesh's toda takes them (its `injector_config.rs`, and the actions of the PodIOChaos CRD),
 * and as our own flags say them, which may be mixed.
 */

/** A rule, as its action and the fields of that action. */
export interface RuleInput {
  readonly action: RuleAction;
  readonly input: JsonObject;
}

/** Who wrote the rule; Chaos Mesh keeps that for itself. */
const ignored: ReadonlySet<string> = new Set(['source']);

const actions = Object.keys(ruleSchemas) as RuleAction[];

/**
 * An action by our name or by Chaos Mesh's (`attrOverride`).
 *
 * @throws {FaultlineError} ARGUMENT_INVALID
 */
export function ruleAction(given: unknown): RuleAction {
  const name = given === 'attrOverride' ? 'attr-override' : given;
  const action = actions.find((one) => one === name);
  if (action !== undefined) return action;
  const what = given === undefined ? 'the rule has no type' : `there is no type "${printable(textOf(given))}"`;
  throw new FaultlineError('ARGUMENT_INVALID', what, { hint: nearHint(textOf(given), actions) });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** toda has the attributes beside the other fields, Chaos Mesh in one of their own. */
function withAttributes(fields: JsonObject): JsonObject {
  const flat = Object.entries(fields).filter(([name]) => attributeNames.includes(name));
  if (flat.length === 0) return fields;
  const rest = Object.entries(fields).filter(([name]) => !attributeNames.includes(name));
  const { attr } = fields;
  return { ...Object.fromEntries(rest), attr: { ...(isObject(attr) ? attr : {}), ...Object.fromEntries(flat) } };
}

/** `mistake: {filling, maxOccurrences, maxLength}` as fields of its own. */
function withMistake(fields: JsonObject): JsonObject {
  const { mistake, ...rest } = fields;
  if (mistake === undefined) return fields;
  if (isObject(mistake)) return { ...rest, ...mistake };
  throw new FaultlineError('ARGUMENT_INVALID', 'mistake must be an object', {
    hint: '{"filling":"random","maxOccurrences":1,"maxLength":10}',
  });
}

/** A field under its first name, where it came under its second. */
function renamed(fields: JsonObject, from: string, to: string): JsonObject {
  const { [from]: value, ...rest } = fields;
  return value === undefined || to in rest ? fields : { ...rest, [to]: value };
}

/**
 * The fields of an action under our names, where they came under those of Chaos Mesh or toda. What is unknown stays as
 * it is, for the schema to refuse.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID
 */
export function withoutAliases(action: RuleAction, fields: JsonObject): JsonObject {
  switch (action) {
    case 'latency':
      return renamed(fields, 'latency', 'delay');
    case 'fault':
      return renamed(fields, 'faults', 'errno');
    case 'attr-override':
      return withAttributes(fields);
    case 'mistake':
      return withMistake(fields);
  }
}

function ruleInput(entry: JsonObject): RuleInput {
  const { type, action: named, ...given } = entry;
  const action = ruleAction(type ?? named);
  const fields = Object.fromEntries(
    Object.entries(given).filter(([name, value]) => !ignored.has(name) && value !== null),
  );
  return { action, input: withoutAliases(action, fields) };
}

/** The same error, told of one rule of a list. */
function ofRule(index: number, error: unknown): unknown {
  if (!isFaultlineError(error)) return error;
  const { code, message, hint, details } = error;
  return new FaultlineError(code, `rule ${index + 1} of the list: ${message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  });
}

/**
 * The rules of a list.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, DURATION_INVALID, USER_UNKNOWN, with the number of the rule
 */
export async function parseRuleList(list: readonly unknown[], volume: string): Promise<readonly IoRule[]> {
  const rules: IoRule[] = [];
  for (const [index, entry] of list.entries()) {
    try {
      const { action, input } = ruleInput(isObject(entry) ? entry : {});
      rules.push(await parseRule(action, input, volume));
    } catch (error) {
      throw ofRule(index, error);
    }
  }
  return rules;
}
