import { freshSeed, seededRandom } from '../base/random.ts';
import type { ProcessCriteria } from './criteria.ts';
import { descendantsOf } from './kinship.ts';
import { matchProcesses } from './match.ts';
import { choose } from './mode.ts';
import { isPidText, nameMatcher } from './name-match.ts';
import { allVanished, processNotFound } from './not-found.ts';
import { type ProcessTable, readProcessTable } from './process-table.ts';
import type { Protection, Refusal } from './protected.ts';
import { type ProcessSummary, summaryOf, type TargetProcess, targetOf } from './target-process.ts';

export type { Protection } from './protected.ts';

/** A process that was found and must not be hit. */
export interface LeftOutProcess extends Refusal {
  readonly process: TargetProcess;
  /** The user named this very process by its PID. */
  readonly named: boolean;
}

export interface Selection {
  /** Who meets the criteria and is not excluded, by PID, before protection and mode. */
  readonly matched: readonly ProcessSummary[];
  readonly leftOut: readonly LeftOutProcess[];
  /** Who is to be hit: the chosen ones by PID, then their descendants by PID where `children` asks for them. */
  readonly chosen: readonly TargetProcess[];
  /** What repeats the choice. */
  readonly seed: string;
}

export interface SelectionOptions {
  readonly protection: Protection;
  /** Goes before the seed of the criteria; without either, a fresh one is drawn. */
  readonly seed?: string | undefined;
}

/** Is a process named by `exclude`? Digits exclude the PID and the name alike: here, more is safer. */
function exclusion(names: readonly string[], table: ProcessTable): (process: ProcessSummary) => boolean {
  const pids = new Set(names.filter(isPidText).map(Number));
  const matchers = names.map(nameMatcher);
  return ({ identity: { pid }, comm }) =>
    pids.has(pid) || matchers.some((matcher) => matcher.matches(table, pid, comm));
}

interface Sorted {
  readonly free: readonly ProcessSummary[];
  readonly refused: readonly (readonly [ProcessSummary, Refusal])[];
}

function sortOut(processes: readonly ProcessSummary[], table: ProcessTable, protection: Protection): Sorted {
  const free: ProcessSummary[] = [];
  const refused: (readonly [ProcessSummary, Refusal])[] = [];
  for (const process of processes) {
    const refusal = protection(process, table);
    if (refusal === undefined) free.push(process);
    else refused.push([process, refusal]);
  }
  return { free, refused };
}

/** Start times have a grain of one clock tick; among equals the higher PID is taken for the newer process. */
function outermost(processes: readonly ProcessSummary[], criteria: ProcessCriteria): readonly ProcessSummary[] {
  if (!criteria.newest && !criteria.oldest) return processes;
  const byAge = [...processes].sort(
    ({ identity: a }, { identity: b }) => a.startTimeTicks - b.startTimeTicks || a.pid - b.pid,
  );
  return criteria.newest ? byAge.slice(-1) : byAge.slice(0, 1);
}

function descendants(of: readonly ProcessSummary[], table: ProcessTable): readonly ProcessSummary[] {
  const pids = descendantsOf(
    table,
    of.map(({ identity }) => identity.pid),
  );
  return [...pids].sort((a, b) => a - b).flatMap((pid) => summaryOf(table, pid) ?? []);
}

function leaveOut(table: ProcessTable, refused: Sorted['refused'], named: boolean): LeftOutProcess[] {
  return refused.flatMap(([summary, refusal]) => {
    const process = targetOf(table, summary);
    return process === undefined ? [] : [Object.freeze({ ...refusal, process, named })];
  });
}

/** How often it is chosen anew where all that were chosen vanished: names of processes that live for moments. */
const mostChoices = 10;

/** @returns undefined: all that were picked, or all that are protected, have vanished before they were looked at */
function chooseOnce(criteria: ProcessCriteria, seed: string, protection: Protection): Selection | undefined {
  const table = readProcessTable();
  const found = matchProcesses(criteria, table);
  const isExcluded = exclusion(criteria.exclude, table);
  const matched = found.processes.filter((process) => !isExcluded(process));
  if (matched.length === 0) throw processNotFound(criteria, table, found.processes.length);

  const { free, refused } = sortOut(matched, table, protection);
  const picked = choose(outermost(free, criteria), criteria.mode, criteria.value, seededRandom(seed));
  const family = criteria.children ? descendants(picked, table).filter((process) => !isExcluded(process)) : [];
  const known = new Set(refused.map(([{ identity }]) => identity.pid));
  const added = sortOut(
    family.filter(({ identity }) => !known.has(identity.pid)),
    table,
    protection,
  );
  const chosen = [...picked, ...added.free].flatMap((summary) => targetOf(table, summary) ?? []);
  const leftOut = [...leaveOut(table, refused, found.byPid), ...leaveOut(table, added.refused, false)];
  const allPickedVanished = chosen.length === 0 && picked.length > 0;
  const allProtectedVanished = leftOut.length === 0 && free.length === 0;
  if (allPickedVanished || allProtectedVanished) {
    // A PID that nobody has any more would be taken for a name.
    if (found.byPid) throw processNotFound(criteria, readProcessTable(), 0);
    return undefined;
  }
  return Object.freeze({
    matched: Object.freeze(matched),
    leftOut: Object.freeze(leftOut),
    chosen: Object.freeze(chosen),
    seed,
  });
}

/**
 * Choose who is to be hit. Nothing is touched. In this order:
 * 1. who meets all criteria; 2. without the excluded; 3. without the protected, who are reported; 4. newest or oldest;
 * 5. the mode's choice; 6. the descendants of the chosen, without excluded and protected ones.
 *
 * A process that vanishes on the way is simply no target; where all that were chosen do, it is chosen anew among those
 * that are left. So `chosen` is empty only where all were protected, or where random-max-percent chose none.
 *
 * @throws {FaultlineError} PROCESS_NOT_FOUND: nobody meets the criteria, or all who do are excluded, or vanish as soon
 *   as they are found; USER_UNKNOWN; CGROUP_NOT_FOUND
 */
export function selectProcesses(criteria: ProcessCriteria, options: SelectionOptions): Selection {
  const seed = options.seed ?? criteria.seed ?? freshSeed();
  for (let choice = 0; choice < mostChoices; choice++) {
    const selection = chooseOnce(criteria, seed, options.protection);
    if (selection !== undefined) return selection;
  }
  throw allVanished(criteria);
}
