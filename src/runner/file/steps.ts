import { printable } from '../../base/text.ts';
import { nearHint } from '../../faults/near.ts';
import type { CommandAction, Step } from '../experiment.ts';
import { attackNamed, optionsOf } from './attack-step.ts';
import { namedExpectationsOf, type ProbeKinds } from './expectations.ts';
import { describePart, fieldsOf, isNothing, mapIn, oneKeyOf, optional, type Reader, required } from './fields.ts';
import type { Problems, Spot } from './problems.ts';
import { duration, prose, text } from './scalars.ts';
import { argumentList } from './sources.ts';
import type { Entry, MapPart, Part } from './tree.ts';

/*
 * The steps of the method.
 */

/** An attack in the file. */
export interface AttackSite {
  readonly step: Extract<Step, { kind: 'attack' }>;
  readonly at: Spot;
  /** Its options, with their places. */
  readonly options: MapPart;
}

/** What the steps of a file have in common while they are read. */
export interface StepContext {
  readonly problems: Problems;
  readonly kinds: ProbeKinds;
  /** All attacks so far, by their names. */
  readonly attacks: Map<string, AttackSite>;
}

export const stepKinds = ['attack', 'recover', 'wait', 'assert', 'run', 'parallel'] as const;

const stepsHint = `a step is one of: ${stepKinds.join(', ')}`;

const runTimeoutMs = 30_000;

/** `[program, argument]`, or `{ command: [program, argument], timeout: 30s }` */
export const commandAction: Reader<CommandAction> = (problems, part, what) => {
  if (part.kind !== 'map') {
    const argv = argumentList(problems, part, what);
    return argv === undefined ? undefined : { argv, timeoutMs: runTimeoutMs };
  }
  const fields = fieldsOf(problems, part, what, ['command', 'timeout']);
  const argv = required(fields, 'command', argumentList, what, 'command: [program, argument]');
  const timeoutMs = optional(fields, 'timeout', duration) ?? runTimeoutMs;
  return argv === undefined ? undefined : { argv, timeoutMs };
};

/** A name that nobody has yet: `process kill 2`. */
function freeName(wanted: string, { attacks }: StepContext): string {
  for (let turn = 1; ; turn += 1) {
    const name = turn === 1 ? wanted : `${wanted} ${turn}`;
    if (!attacks.has(name)) return name;
  }
}

function nameOf(context: StepContext, part: Part, usual: string): string {
  const { problems, attacks } = context;
  const given = prose(problems, part, 'name');
  const twin = given === undefined ? undefined : attacks.get(given);
  if (given === undefined || twin === undefined) return given ?? freeName(usual, context);
  problems.add(part.at, `the attack in line ${twin.at.line} is called "${given}", too`, 'give it another name');
  return freeName(given, context);
}

/** Where a step is, and which attacks have been made for sure when its turn comes. */
interface Position {
  readonly path: string;
  readonly made: Set<string>;
}

async function attackStep(context: StepContext, map: MapPart, entry: Entry, position: Position): Promise<Step[]> {
  const { problems, attacks } = context;
  const { path, made } = position;
  const fields = fieldsOf(problems, map, 'a step that attacks', ['attack', 'name', 'with']);
  const attack = attackNamed(problems, entry.value);
  const usual =
    attack === undefined
      ? entry.value.kind === 'scalar'
        ? entry.value.source
        : ''
      : `${attack.fault.kind} ${attack.action}`;
  const named = fields.entry('name');
  const name = named === undefined ? freeName(usual, context) : nameOf(context, named.value, usual);
  made.add(name);
  const given = optional(fields, 'with', (_problems, part, what) => mapIn(problems, part, what, '{ process: nginx }'));
  const options: MapPart = given ?? { kind: 'map', at: entry.keyAt, entries: [] };
  const input = attack === undefined ? {} : await optionsOf(problems, options, attack);
  const step = {
    kind: 'attack',
    path,
    name,
    fault: attack?.fault.kind ?? '',
    action: attack?.action ?? '',
    options: input,
  } as const;
  attacks.set(name, { step, at: entry.keyAt, options });
  return [step];
}

function recoverStep(context: StepContext, { value }: Entry, { path, made }: Position): Step[] {
  const { problems, attacks } = context;
  const attack = text(problems, value, 'recover');
  if (attack === undefined) return [];
  if (made.has(attack)) return [{ kind: 'recover', path, attack }];
  const known = attacks.has(attack);
  const problem = known
    ? `the attack "${attack}" is of another branch: it may not have been made yet`
    : `no step before this one is an attack called "${attack.slice(0, 80)}"`;
  const unmade = made.size === 0 ? 'an attack comes first; its name stands beside it' : nearHint(attack, [...made]);
  problems.add(value.at, problem, known ? 'undo it in its own branch, or after the parallel step' : unmade);
  return [];
}

async function assertSteps(context: StepContext, { value }: Entry, { path }: Position): Promise<Step[]> {
  const named = await namedExpectationsOf(context.problems, value, 'assert', context.kinds);
  return named.map(({ probe, expect }) => ({
    kind: 'assert',
    path: named.length === 1 ? path : `${path}.${probe}`,
    probe,
    expect,
  }));
}

async function parallelStep(context: StepContext, { value }: Entry, { path, made }: Position): Promise<Step[]> {
  const { problems } = context;
  const example = 'parallel: [ [ {wait: 1s} ], [ {wait: 2s} ] ]';
  if (value.kind !== 'list') {
    const problem = `parallel must be a list of branches, not ${describePart(value)}`;
    problems.add(value.at, problem, `each is a list of steps: ${example}`);
    return [];
  }
  if (value.items.length === 0) problems.add(value.at, 'parallel has no branch', `write ${example}`);
  const branches: (readonly Step[])[] = [];
  const after = new Set(made);
  for (const [index, branch] of value.items.entries()) {
    const known = new Set(made);
    branches.push(
      await stepsOf(context, branch, `branch ${index + 1}`, { path: `${path}.parallel[${index}]`, made: known }),
    );
    for (const name of known) after.add(name);
  }
  for (const name of after) made.add(name);
  return [{ kind: 'parallel', path, branches }];
}

/** A step that is a key with a value, and nothing beside it. */
function isAlone(problems: Problems, map: MapPart, { key, keyAt, value }: Entry): boolean {
  for (const other of map.entries.filter((entry) => entry.key !== key)) {
    const problem = `"${other.key.slice(0, 80)}" does not go with "${key}": a step is one thing`;
    problems.add(other.keyAt, problem, 'make it a step of its own, or take it away');
  }
  if (!isNothing(value)) return true;
  problems.add(keyAt, `"${key}" has no value`, 'give it one, or take the line away');
  return false;
}

/** One step of the file; several where it asserts of several probes, none where it is not valid. */
async function stepsIn(context: StepContext, part: Part, position: Position): Promise<Step[]> {
  const { problems } = context;
  const map = mapIn(problems, part, 'a step', '"wait: 2s" or "attack: process kill"');
  const entry = map === undefined ? undefined : stepEntry(problems, map);
  if (map === undefined || entry === undefined) return [];
  if (entry.key === 'attack') return attackStep(context, map, entry, position);
  if (!isAlone(problems, map, entry)) return [];
  const { path } = position;
  switch (entry.key) {
    case 'recover':
      return recoverStep(context, entry, position);
    case 'assert':
      return assertSteps(context, entry, position);
    case 'parallel':
      return parallelStep(context, entry, position);
    case 'wait': {
      const ms = duration(problems, entry.value, 'wait');
      return ms === undefined ? [] : [{ kind: 'wait', path, ms }];
    }
    default: {
      const command = commandAction(problems, entry.value, 'run');
      return command === undefined ? [] : [{ kind: 'run', path, command }];
    }
  }
}

function stepEntry(problems: Problems, map: MapPart): Entry | undefined {
  const [first] = map.entries;
  const isStep = map.entries.some(({ key }) => stepKinds.some((kind) => kind === key));
  if (isStep || first === undefined) return oneKeyOf(problems, map, 'a step', stepKinds, stepsHint);
  // A step with a mistyped name says more by its key than by its place.
  return problems.add(
    first.keyAt,
    `there is no step "${printable(first.key.slice(0, 80))}"`,
    nearHint(first.key, stepKinds),
  );
}

/** The steps of a branch, in order. @param what names it in problems: `method` */
export async function stepsOf(
  context: StepContext,
  part: Part,
  what: string,
  { path, made }: Position,
): Promise<readonly Step[]> {
  if (part.kind !== 'list') {
    const problem = `${what} must be a list of steps, not ${describePart(part)}`;
    context.problems.add(part.at, problem, 'each begins with a dash: "- wait: 2s"');
    return [];
  }
  if (part.items.length === 0) context.problems.add(part.at, `${what} does nothing`, stepsHint);
  const steps: Step[] = [];
  for (const [index, item] of part.items.entries()) {
    steps.push(...(await stepsIn(context, item, { path: `${path}[${index}]`, made })));
  }
  return steps;
}
