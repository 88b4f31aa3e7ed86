import { FaultlineError } from '../base/error.ts';
import type { JsonObject } from '../base/json.ts';
import { count, listed, printable } from '../base/text.ts';
import type { Plan, PlannedTarget } from '../faults/fault.ts';
import { commOfName } from '../targets/name-match.ts';

/** What all attacks of one run of an experiment may touch at most. */
export interface BlastRadius {
  /** Targets of all of them together; one that is hit twice counts twice. */
  readonly targets: number;
  /** Of what a selection matches, in percent, for each attack. */
  readonly percent: number | null;
  /** Names of processes that may be hit; null: any. */
  readonly processes: readonly string[] | null;
}

export function blastRadiusToJson({ targets, percent, processes }: BlastRadius): JsonObject {
  return { targets, percent, processes };
}

export function blastRadiusFromJson({ targets, percent, processes }: JsonObject): BlastRadius {
  return {
    targets: Number(targets),
    percent: typeof percent === 'number' ? percent : null,
    processes: Array.isArray(processes) ? processes.map(String) : null,
  };
}

/** The targets that count: not those that others are reached by. */
export function countedTargets(plan: Plan): number {
  return plan.targets.filter(({ uncounted }) => uncounted !== true).length;
}

function refuse(sentence: string, hint: string): never {
  throw new FaultlineError('GUARD_LIMIT', `the experiment's blast radius allows ${sentence}`, {
    hint,
    details: { rule: 'blast-radius' },
  });
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** As `--process` takes names; see `nameMatcher`. */
function isCalled({ about }: PlannedTarget, name: string): boolean {
  const { comm, argv } = about;
  if (comm === name) return true;
  const program = Array.isArray(argv) && typeof argv[0] === 'string' ? baseName(argv[0]) : undefined;
  return comm === commOfName(name) && (program === undefined || program === name);
}

function refuseOtherProcesses(plan: Plan, names: readonly string[]): void {
  const allowed = `only processes named ${listed(names.map(printable))}`;
  const hint = 'narrow the attack, or add the name to blastRadius.processes';
  const processes = plan.targets.filter(({ about }) => typeof about['comm'] === 'string');
  const others = processes.filter((target) => !names.some((name) => isCalled(target, name)));
  if (others.length > 0) refuse(`${allowed}, not ${listed(others.map(({ label }) => printable(label)))}`, hint);
  if (processes.length > 0) return;
  refuse(`${allowed}, and ${plan.kind} ${plan.action} cannot tell beforehand whom it hits`, hint);
}

/**
 * Refuse a plan that would go beyond what the experiment may touch.
 *
 * @param touched targets that its attacks have hit so far
 * @throws {FaultlineError} GUARD_LIMIT
 */
export function guardBlastRadius(plan: Plan, { targets, percent, processes }: BlastRadius, touched: number): void {
  const hit = countedTargets(plan);
  if (hit + touched > targets) {
    const before = touched === 0 ? '' : ` after the ${touched} before`;
    refuse(`${count(targets, 'target')}, not ${hit}${before}`, 'hit fewer (mode: one), or raise blastRadius.targets');
  }
  const matched = plan.matched - (plan.targets.length - hit);
  // 0.57 * 10,000 is a little less than 5,700 in floating point.
  if (percent !== null && hit * 100 - percent * matched > 1e-6) {
    refuse(`${percent}% of the ${matched} matched, not ${hit}`, 'hit fewer, or raise blastRadius.percent');
  }
  if (processes !== null) refuseOtherProcesses(plan, processes);
}
