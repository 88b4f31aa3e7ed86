import type { AbortCondition, BlastRadius, CommandAction } from '../experiment.ts';
import { namedExpectationsOf, type ProbeKinds } from './expectations.ts';
import { type Fields, fieldsOf, listOf, mapIn, optional, type Reader, required } from './fields.ts';
import type { Problems } from './problems.ts';
import { duration, durationSource, interval, percent, whole, word } from './scalars.ts';
import { commandAction } from './steps.ts';
import type { Part } from './tree.ts';

/*
 * What bounds a run: its blast radius, what aborts it, and what is done after it.
 */

const share: Reader<number> = (problems, part, what) => {
  const value = percent(problems, part, what);
  return value === 0 ? problems.add(part.at, 'percent of 0% allows nothing', 'write more, or take it away') : value;
};

export const blastRadiusKeys = ['targets', 'percent', 'duration', 'processes'] as const;

export const blastRadiusExample = 'blastRadius: { targets: 1, duration: 60s }';

/** `{ targets: 1, percent: 50%, duration: 60s, processes: [nginx] }` */
export function blastRadiusOf(
  problems: Problems,
  part: Part,
): { readonly fields: Fields; readonly radius: BlastRadius | undefined } | undefined {
  const map = mapIn(problems, part, 'blastRadius', '{ targets: 1, duration: 60s }');
  if (map === undefined) return undefined;
  const fields = fieldsOf(problems, map, 'blastRadius', blastRadiusKeys);
  const targets = required(fields, 'targets', whole, 'blastRadius', 'targets: 1, how many may be hit in all');
  const durationMs = required(
    fields,
    'duration',
    duration,
    'blastRadius',
    'duration: 60s, how long the method may take',
  );
  const rest = {
    percent: optional(fields, 'percent', share),
    processes: optional(fields, 'processes', listOf(word, '[nginx]')),
  };
  const isWhole = targets !== undefined && durationMs !== undefined;
  return { fields, radius: isWhole ? { targets, durationMs, ...rest } : undefined };
}

const usualForMs = 2000;

export const abortKeys = ['unless', 'for'] as const;

/** What a condition must know of the probes that it names. */
export interface KnownProbes {
  readonly kinds: ProbeKinds;
  /** How often each looks, as far as it is valid. */
  readonly everyMs: ReadonlyMap<string, number>;
}

/** A condition over a time in which its probe does not look once would never be met. */
function refuseBlind(fields: Fields, forMs: number, { kinds, everyMs }: KnownProbes, names: readonly string[]): void {
  const blind = names.find((name) => kinds.has(name) && forMs < (everyMs.get(name) ?? 0));
  if (blind === undefined) return;
  const every = durationSource(everyMs.get(blind) ?? 0);
  const at = fields.entry('for')?.value.at ?? fields.at;
  const problem = `the probe ${blind} looks every ${every} only: within ${durationSource(forMs)} it may see nothing`;
  fields.problems.add(at, problem, `write "for: ${every}" or more, or have it look more often`);
}

async function abortCondition(problems: Problems, part: Part, probes: KnownProbes): Promise<readonly AbortCondition[]> {
  const example = '{ unless: { answers: { success: { atLeast: 50% } } }, for: 2s }';
  const map = mapIn(problems, part, 'a condition of abort', example);
  if (map === undefined) return [];
  const fields = fieldsOf(problems, map, 'a condition of abort', abortKeys);
  const forMs = optional(fields, 'for', interval) ?? usualForMs;
  const unless = required(
    fields,
    'unless',
    (_problems, value) => value,
    'the condition',
    'unless: { probe: { measure: tolerance } }',
  );
  if (unless === undefined) return [];
  const named = await namedExpectationsOf(problems, unless, 'unless', probes.kinds);
  refuseBlind(
    fields,
    forMs,
    probes,
    named.map(({ probe }) => probe),
  );
  return named.flatMap(({ probe, expect }) => expect.map((one) => ({ probe, unless: one, forMs })));
}

/** A list of conditions; one with several measures is several, for any of them aborts. */
export async function abortOf(problems: Problems, part: Part, probes: KnownProbes): Promise<readonly AbortCondition[]> {
  const items = listOf((_problems, item) => item, '[ { unless: …, for: 2s } ]')(problems, part, 'abort') ?? [];
  const found: AbortCondition[] = [];
  for (const item of items) found.push(...(await abortCondition(problems, item, probes)));
  return found;
}

const rollback: Reader<CommandAction> = (problems, part) => {
  const map = mapIn(problems, part, 'a rollback', '"- run: [program, argument]"');
  if (map === undefined) return undefined;
  const fields = fieldsOf(problems, map, 'a rollback', ['run']);
  return required(fields, 'run', commandAction, 'a rollback', 'run: [program, argument]');
};

/** `[ { run: [program, argument] } ]` */
export const rollbacksOf: Reader<readonly CommandAction[]> = listOf(rollback, '"- run: [program, argument]"');
