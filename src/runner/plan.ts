import { type FaultlineError, isFaultlineError } from '../base/error.ts';
import { countedTargets, guardBlastRadius } from '../experiment/blast-radius.ts';
import type { Engine } from '../experiment/engine.ts';
import type { Plan } from '../faults/fault.ts';
import { requestOf } from './attack-step.ts';
import type { Experiment, Step } from './experiment.ts';
import { problemsError } from './file/problems.ts';
import type { ExperimentText } from './file/read.ts';

type AttackStep = Extract<Step, { kind: 'attack' }>;

/** What an attack of a method would do if it was made now. */
export interface PlannedAttack {
  readonly step: AttackStep;
  /** undefined: it would be refused before anything is chosen. */
  readonly plan: Plan | undefined;
  /** Why it would be refused. */
  readonly refusal: FaultlineError | undefined;
}

/** What a run would touch if everything stays as it is now. */
export interface ExperimentPlan {
  readonly experiment: Experiment;
  readonly attacks: readonly PlannedAttack[];
  /** Targets of all attacks together; one that is hit twice counts twice. */
  readonly targets: number;
  /** The largest share of what an attack's selection matches, in percent; undefined: none matches anything. */
  readonly percent: number | undefined;
}

/** The attacks of a method, in the order of the file. */
function* attacksOf(steps: readonly Step[]): Generator<AttackStep> {
  for (const step of steps) {
    if (step.kind === 'attack') yield step;
    if (step.kind === 'parallel') for (const branch of step.branches) yield* attacksOf(branch);
  }
}

/** What is thrown by work that may be refused; anything else is a bug and goes on. */
async function refusalOf(work: () => Promise<void> | void): Promise<FaultlineError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (isFaultlineError(error)) return error;
    throw error;
  }
}

function shareOf(plan: Plan): number | undefined {
  const hit = countedTargets(plan);
  const matched = plan.matched - (plan.targets.length - hit);
  return matched > 0 ? (hit * 100) / matched : undefined;
}

/** Plan one attack, within what those before it leave of the blast radius. */
async function planOne(
  engine: Engine,
  step: AttackStep,
  experiment: Experiment,
  touched: number,
): Promise<PlannedAttack> {
  let plan: Plan | undefined;
  const { targets, percent = null, processes = null } = experiment.blastRadius;
  const refusal = await refusalOf(async () => {
    plan = await engine.plan(await requestOf(step));
    guardBlastRadius(plan, { targets, percent, processes }, touched);
  });
  return { step, plan, refusal };
}

/** Exactly what the attacks of an experiment would touch now. Changes nothing. */
export async function planExperiment(experiment: Experiment, engine: Engine): Promise<ExperimentPlan> {
  const attacks: PlannedAttack[] = [];
  let targets = 0;
  for (const step of attacksOf(experiment.method)) {
    const planned = await planOne(engine, step, experiment, targets);
    attacks.push(planned);
    targets += planned.plan === undefined ? 0 : countedTargets(planned.plan);
  }
  const shares = attacks.flatMap(({ plan }) => (plan === undefined ? [] : (shareOf(plan) ?? [])));
  return Object.freeze({
    experiment,
    attacks,
    targets,
    percent: shares.length === 0 ? undefined : Math.max(...shares),
  });
}

/** All that stands in the way of a run, with its place in the file; undefined: nothing is known to. */
export function planProblems(
  { experiment, attacks }: ExperimentPlan,
  { placeOf }: ExperimentText,
): FaultlineError | undefined {
  const problems = attacks.flatMap(({ step, refusal }) => {
    if (refusal === undefined) return [];
    const problem = `${step.name}: ${refusal.message}`;
    return [{ ...placeOf(`${step.path}.attack`), problem, hint: refusal.hint ?? 'see faultline doctor' }];
  });
  return problems.length === 0 ? undefined : problemsError(experiment.file.name, problems);
}
