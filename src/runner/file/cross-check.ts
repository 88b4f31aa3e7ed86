import { formatDuration, parseDuration } from '../../base/duration.ts';
import { count } from '../../base/text.ts';
import type { Experiment, Step } from '../experiment.ts';
import type { Fields } from './fields.ts';
import { placeIn } from './place.ts';
import type { Problems, Spot } from './problems.ts';
import { everyMsOf } from './probes.ts';
import { durationSource } from './scalars.ts';
import type { AttackSite } from './steps.ts';
import type { Part } from './tree.ts';

/*
 * What can be known of an experiment without looking at the host: whether its parts fit each other.
 */

/** Where things stand. */
export interface Sites {
  readonly tree: Part;
  readonly attacks: ReadonlyMap<string, AttackSite>;
  /** The blast radius, key by key. */
  readonly limits: Fields;
}

/** How long steps take at least: waits, one after another, or beside each other in branches. */
function leastMs(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => {
    if (step.kind === 'wait') return sum + step.ms;
    return step.kind === 'parallel' ? sum + Math.max(0, ...step.branches.map(leastMs)) : sum;
  }, 0);
}

function entryAt({ limits }: Sites, key: string): Spot {
  return limits.entry(key)?.value.at ?? limits.at;
}

function checkDuration(problems: Problems, { method, blastRadius }: Experiment, sites: Sites): void {
  const waits = leastMs(method);
  if (waits < blastRadius.durationMs) return;
  const [taken, allowed] = [formatDuration(waits), formatDuration(blastRadius.durationMs)];
  const problem = `the waits of the method alone take ${taken}, but blastRadius.duration is ${allowed}`;
  problems.add(entryAt(sites, 'duration'), problem, 'allow more than that, or wait less');
}

function checkTargets(problems: Problems, { blastRadius }: Experiment, sites: Sites): void {
  const { targets } = blastRadius;
  const attacks = [...sites.attacks.values()];
  // One that finds no process is an error; of a volume nobody may be a user, and nobody is a target then.
  const least = Math.max(attacks.filter(({ step }) => step.fault === 'process').length, Math.min(attacks.length, 1));
  if (targets >= least) return;
  const problem = `blastRadius.targets is ${targets}, but the method has ${count(attacks.length, 'attack')}`;
  problems.add(entryAt(sites, 'targets'), problem, 'write how many targets may be hit in all');
}

function checkLease(problems: Problems, { blastRadius }: Experiment, { step, options }: AttackSite): void {
  const entry = options.entries.find(({ key }) => key === 'duration');
  const given = step.options['duration'];
  if (entry === undefined || typeof given !== 'string') return;
  let leaseMs: number;
  try {
    leaseMs = parseDuration(given);
  } catch {
    return; // told already, by the attack itself
  }
  if (leaseMs <= blastRadius.durationMs) return;
  const allowed = formatDuration(blastRadius.durationMs);
  const problem = `the attack lasts ${formatDuration(leaseMs)}, but blastRadius.duration is ${allowed}`;
  problems.add(entry.value.at, problem, 'attack for a shorter time, or allow more; all is undone after the method');
}

function checkProcess(problems: Problems, { blastRadius }: Experiment, { step, options }: AttackSite): void {
  const { processes } = blastRadius;
  const entry = options.entries.find(({ key }) => key === 'process');
  const name = step.options['process'];
  // A number may be a PID, of which nothing is known here; patterns are left to whoever plans.
  if (processes === undefined || entry === undefined || typeof name !== 'string' || /^\d+$/u.test(name)) return;
  if (processes.includes(name)) return;
  const allowed = processes.length === 0 ? 'no process' : processes.join(', ');
  const problem = `the attack means ${name}, but blastRadius.processes allows ${allowed}`;
  problems.add(entry.value.at, problem, `add ${name} to blastRadius.processes, or attack another`);
}

function* usedProbes(steps: readonly Step[]): Generator<string> {
  for (const step of steps) {
    if (step.kind === 'assert') yield step.probe;
    if (step.kind === 'parallel') for (const branch of step.branches) yield* usedProbes(branch);
  }
}

function checkExpectations(problems: Problems, { steadyState, method, abort }: Experiment, { tree }: Sites): void {
  const { probes } = steadyState;
  const used = new Set([...usedProbes(method), ...abort.map(({ probe }) => probe)]);
  for (const { name, expect, during } of probes) {
    if (expect.length > 0 || during.length > 0 || used.has(name)) continue;
    const at = placeIn(tree, `steadyState.probes.${name}`);
    problems.add(at, `nothing is expected of the probe ${name}`, 'add "expect:", or take the probe away');
  }
  if (probes.length > 0 && probes.every(({ expect }) => expect.length === 0)) {
    const at = placeIn(tree, 'steadyState.probes');
    problems.add(at, 'no probe expects anything before the method', 'a steady state needs an "expect:"');
  }
}

/** A phase that is over before its probe has looked once has measured nothing, and could only end the run. */
function checkPhases(problems: Problems, { steadyState }: Experiment, { tree }: Sites): void {
  const { probes, beforeMs, afterMs } = steadyState;
  const least = Math.min(beforeMs, afterMs);
  const key = beforeMs === least ? 'before' : 'after';
  for (const { name, source, expect } of probes) {
    const everyMs = everyMsOf(source);
    if (expect.length === 0 || everyMs <= least) continue;
    const every = durationSource(everyMs);
    const phase = `"${key}: ${durationSource(least)}"`;
    const problem = `the probe ${name} looks every ${every} only: ${phase} may be over before it has looked once`;
    const hint = `write "before: ${every}" and "after: ${every}" or more, or have it look more often`;
    problems.add(placeIn(tree, `steadyState.probes.${name}`), problem, hint);
  }
}

/** Add what does not fit. Only for experiments of which each part is valid as far as is known. */
export function crossCheck(problems: Problems, experiment: Experiment, sites: Sites): void {
  // What is expected of a probe whose expectations are wrong is not known.
  if (problems.all().length === 0) checkExpectations(problems, experiment, sites);
  checkPhases(problems, experiment, sites);
  checkDuration(problems, experiment, sites);
  checkTargets(problems, experiment, sites);
  for (const site of sites.attacks.values()) {
    checkLease(problems, experiment, site);
    checkProcess(problems, experiment, site);
  }
}
