import { FaultlineError } from '../../base/error.ts';
import { type Json, type JsonObject, toJson } from '../../base/json.ts';
import { checkProperty, parseInput } from '../../base/schema.ts';
import { hasUnprintable, printable } from '../../base/text.ts';
import { parseCriteria } from '../../targets/criteria.ts';
import { criteriaSchema } from '../../targets/schema.ts';
import { unreachableNotes } from './methods.ts';
import { parseRule } from './parse-rule.ts';
import { type IoRule, maxRules } from './rule.ts';
import { ioSchemas, placeSchema } from './schema.ts';
import { parseRuleList, withoutAliases } from './toda.ts';

/** What is to be done to the files of a volume, with every default filled in. Plain JSON. */
export interface IoSpec {
  /** The folder as its users see it: absolute, without a slash at the end. */
  readonly volume: string;
  /** Whose mount namespace the volume is seen in; null: that of the chosen processes, or our own. */
  readonly inPid: number | null;
  /** Which processes' open files are moved onto the volume, for `parseCriteria`; null: all that use it. */
  readonly criteria: JsonObject | null;
  /** Names and PIDs of processes whose open files are left where they are. */
  readonly exclude: readonly string[];
  /** What chance depends on; null: a fresh one is drawn when it is planned. */
  readonly seed: string | null;
  readonly expectHits: boolean;
  /** 1 to 31. */
  readonly rules: readonly IoRule[];
}

export type IoAction = keyof typeof ioSchemas;

function refuse(sentence: string, hint: string): never {
  throw new FaultlineError('ARGUMENT_INVALID', sentence, { hint });
}

/** Absolute, plain, and not the root, below which everything is. */
function volumeOf(given: string): string {
  const shown = printable(given.slice(0, 200));
  if (hasUnprintable(given)) {
    refuse(`the volume ${shown} has control or invisible characters`, 'give another path to it');
  }
  if (!given.startsWith('/')) {
    refuse(`the volume "${shown}" is a relative path`, 'give the whole path, as it is seen in its mount namespace');
  }
  const names = given.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) refuse(`the volume ${shown} has ".." in it`, 'write the folder that it stands for');
  if (names.length === 0) {
    refuse('the volume cannot be /', 'everything on the host would go through it; give the folder that is meant');
  }
  return `/${names.join('/')}`;
}

/** Criteria that say by themselves which processes are meant. */
const selective = ['process', 'cmdline', 'user', 'cgroup'];

interface Selection {
  readonly criteria: JsonObject | null;
  readonly exclude: readonly string[];
}

/** Without criteria everybody who uses the volume is meant; then only `exclude` makes sense. */
function selectionOf(input: JsonObject): Selection {
  const properties = Object.keys(criteriaSchema.properties).filter((name) => name !== 'seed');
  const given = Object.fromEntries(Object.entries(input).filter(([name]) => properties.includes(name)));
  const { exclude, ...others } = given;
  if (Object.keys(others).length === 0 && exclude !== undefined) {
    // Checked as part of criteria that say nothing else.
    const checked = parseCriteria({ cmdline: '.', exclude: exclude as readonly string[] as string[] });
    return { criteria: null, exclude: checked.exclude };
  }
  if (Object.keys(given).length === 0) return { criteria: null, exclude: [] };
  if (!selective.some((name) => name in given)) {
    const [name = ''] = Object.keys(others);
    refuse(`--${name} chooses among processes, and nothing says which`, 'add --process, --cmdline, --user or --cgroup');
  }
  return { criteria: given, exclude: parseCriteria(given).exclude };
}

function isPlace(name: string): boolean {
  return name in placeSchema.properties;
}

/** Chaos Mesh's name for the volume. */
function withVolume(input: JsonObject): JsonObject {
  const { volumePath, ...rest } = input;
  return volumePath === undefined || 'volume' in rest ? input : { ...rest, volume: volumePath };
}

async function rulesOf(action: IoAction, input: JsonObject, volume: string): Promise<readonly IoRule[]> {
  if (action !== 'rules') return [await parseRule(action, input, volume)];
  const list = input['rules'] as readonly Json[];
  if (list.length > maxRules) refuse(`there are ${list.length} rules`, `a volume takes up to ${maxRules}`);
  return parseRuleList(list, volume);
}

/**
 * Check the input of `attack io ACTION`. Nothing is looked up but users: whether there is such a volume is asked when
 * it is planned.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, DURATION_INVALID, USER_UNKNOWN, NAME_INVALID, PID_INVALID, REGEX_INVALID
 */
export async function parseSpec(action: IoAction, raw: JsonObject): Promise<IoSpec> {
  const named = withVolume(raw);
  const input = action === 'rules' ? named : withAliasesResolved(action, named);
  const { volume: given, inPid, seed, expectHits } = await parseInput(ioSchemas[action], input);
  const volume = checkProperty('volume', () => volumeOf(given));
  const about = Object.fromEntries(Object.entries(input).filter(([name]) => !isPlace(name)));
  const spec: IoSpec = {
    volume,
    inPid: inPid ?? null,
    ...selectionOf(input),
    seed: seed === undefined ? null : String(seed),
    expectHits: expectHits ?? false,
    rules: await rulesOf(action, about, volume),
  };
  return Object.freeze(spec);
}

/** Aliases of the rule's fields, without touching those of the place: `user` there is not an attribute. */
function withAliasesResolved(action: Exclude<IoAction, 'rules'>, input: JsonObject): JsonObject {
  const entries = Object.entries(input);
  const place = Object.fromEntries(entries.filter(([name]) => isPlace(name)));
  const rule = Object.fromEntries(entries.filter(([name]) => !isPlace(name)));
  return { ...withoutAliases(action, rule), ...place };
}

/** Sentences for the plan: what of the rules cannot take effect as it was said. */
export function notesOf(spec: IoSpec): readonly string[] {
  const notes = spec.rules.map(({ disturbances, methods }) => {
    const kinds = disturbances.map(({ kind }) => kind);
    return unreachableNotes(kinds, methods);
  });
  const stays = spec.rules.some(({ disturbances, methods }) => {
    return methods.includes('write') && disturbances.some(({ kind }) => kind === 'mistake');
  });
  const lasting = stays
    ? ['what is written wrong stays wrong in the files; --methods read leaves them as they are']
    : [];
  return [...new Set([...notes.flat(), ...lasting])];
}

/** Is anything of the rules left to chance? */
export function dependsOnChance({ rules }: IoSpec): boolean {
  return rules.some(
    ({ percent, disturbances }) =>
      percent < 100 ||
      disturbances.some((one) => {
        switch (one.kind) {
          case 'latency':
            return one.jitterMs > 0;
          case 'errno':
            return one.choices.length > 1;
          case 'short':
            return one.maxBytes === null;
          default:
            return one.kind === 'mistake';
        }
      }),
  );
}

/** The journal's copy. */
export function specToJson(spec: IoSpec): JsonObject {
  return toJson(spec) as JsonObject;
}

/** Back from the journal, where it was written by {@link specToJson}. */
export function specFromJson(json: JsonObject): IoSpec {
  return json as unknown as IoSpec;
}
