import type { JsonObject } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import { type ObjectAttack, type ObjectReader, podFields } from '../object-kind.ts';
import { errorAt, type Fields, type Place, type ReadFields, textIn } from '../yaml-fields.ts';
import type { RuleAction } from './schema.ts';
import { ruleAction } from './toda.ts';

/*
 * The `spec` of Chaos Mesh's IOChaos, as its files have it.
 */

const timespec: Fields = { sec: 'whole', nsec: 'whole' };

const attributeFields: Fields = {
  ino: 'whole',
  size: 'whole',
  blocks: 'whole',
  atime: timespec,
  mtime: timespec,
  ctime: timespec,
  kind: 'text',
  perm: 'whole',
  nlink: 'whole',
  uid: 'whole',
  gid: 'whole',
  rdev: 'whole',
};

const specFields: Fields = {
  ...podFields,
  action: 'text',
  volumePath: 'text',
  path: 'text',
  methods: 'texts',
  percent: 'whole',
  delay: 'text',
  errno: 'word',
  attr: attributeFields,
  mistake: { filling: 'text', maxOccurrences: 'whole', maxLength: 'whole' },
};

/** The one field that says what an action does. */
const fieldOfAction: Readonly<Record<RuleAction, string>> = {
  latency: 'delay',
  fault: 'errno',
  'attr-override': 'attr',
  mistake: 'mistake',
};

/** The fields that the action takes, each with the name that its flag has. */
function namesOf(action: RuleAction): Readonly<Record<string, string>> {
  const own = fieldOfAction[action];
  return { volumePath: 'volume', path: 'path', methods: 'methods', percent: 'percent', [own]: own };
}

/** What the flags would say, and where. Empty values count as absent, as they do in Chaos Mesh. */
function inputOf(spec: ReadFields, action: RuleAction): Pick<ObjectAttack, 'input' | 'places'> {
  const given = Object.entries(namesOf(action)).flatMap(([from, to]) => {
    const field = spec[from];
    if (field === undefined || field.value === '') return [];
    return Array.isArray(field.value) && field.value.length === 0 ? [] : [[to, field] as const];
  });
  const input: JsonObject = Object.fromEntries(given.map(([name, { value }]) => [name, value]));
  // What a mistake has in an object of its own are flags of their own.
  const places = given.flatMap(([name, { value, valuePlace }]) => [
    [name, valuePlace] as const,
    ...(name === 'mistake' ? Object.keys(value as JsonObject).map((one) => [one, valuePlace] as const) : []),
  ]);
  return { input, places: Object.fromEntries(places) };
}

function notesOf(spec: ReadFields, action: RuleAction): readonly string[] {
  const others = Object.values(fieldOfAction).filter((name) => name !== fieldOfAction[action]);
  return others.flatMap((name) => {
    const field = spec[name];
    if (field === undefined) return [];
    const { line, column } = field.place;
    return [`${name} (line ${line}, column ${column}) means nothing to the action ${action}`];
  });
}

function required(spec: ReadFields, name: string, at: Place): string {
  const value = textIn(spec, name);
  if (value !== null) return value;
  throw errorAt(at, `spec has no ${name}`, `add ${name}, as the IOChaos of Chaos Mesh has it`);
}

function actionOf(spec: ReadFields, at: Place): RuleAction {
  const given = required(spec, 'action', at);
  try {
    return ruleAction(given);
  } catch {
    const problem = `there is no action "${printable(given.slice(0, 80))}"`;
    throw errorAt(spec['action']?.valuePlace ?? at, problem, 'there is: latency, fault, attrOverride, mistake');
  }
}

/** Reads an IOChaos as `attack io ACTION` with one rule. */
export const ioChaosReader: ObjectReader = {
  fields: specFields,
  read: (spec, at) => {
    const action = actionOf(spec, at);
    required(spec, 'volumePath', at);
    return Object.freeze({ action, ...inputOf(spec, action), notes: notesOf(spec, action) });
  },
};
