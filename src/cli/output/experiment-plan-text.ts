import { formatDuration } from '../../base/duration.ts';
import { type Json, toJson } from '../../base/json.ts';
import { count, printable } from '../../base/text.ts';
import { commandText } from '../../runner/command.ts';
import type {
  AbortCondition,
  BlastRadius,
  Expectation,
  Experiment,
  Probe,
  ProbeSource,
  Step,
} from '../../runner/experiment.ts';
import { measureText } from '../../runner/measure-text.ts';
import { measures } from '../../runner/measures.ts';
import { stepText } from '../../runner/method.ts';
import type { ExperimentPlan, PlannedAttack } from '../../runner/plan.ts';
import { sourceText } from '../../runner/source-text.ts';
import { toleranceText } from '../../runner/tolerance.ts';
import { leftOutLine, targetLine } from './plan-text.ts';

/*
 * What `faultline plan` prints.
 */

function expectationText(kind: ProbeSource['kind'], { measure, tolerance }: Expectation): string {
  return `${measure} ${toleranceText(tolerance, measures[kind][measure]?.unit ?? '')}`;
}

function expectationsText(kind: ProbeSource['kind'], expect: readonly Expectation[]): string {
  return expect.map((one) => expectationText(kind, one)).join(', ');
}

function probeLines({ name, source, expect, during, windowMs }: Probe): readonly string[] {
  const [before, meanwhile] = [expect, during].map((one) => expectationsText(source.kind, one));
  const window = windowMs === undefined ? '' : `, over ${formatDuration(windowMs)} at a time`;
  return [
    `  ${name}: ${source.kind}: ${sourceText(source)}`,
    ...(before === '' ? [] : [`    ${before}${window}`]),
    ...(meanwhile === before ? [] : [`    meanwhile: ${meanwhile ?? ''}${window}`]),
  ];
}

function attackLines({ plan, refusal }: PlannedAttack, indent: string): readonly string[] {
  const refused = refusal === undefined ? [] : [`${indent}  refused: ${refusal.message}`];
  if (plan === undefined) return refused;
  return [
    ...plan.targets.map((target) => `${indent}${targetLine(target)}`),
    ...(plan.leftOut.length === 0 ? [] : [`${indent}  left out:`]),
    ...plan.leftOut.map((one) => `${indent}  ${leftOutLine(one)}`),
    ...plan.notes.map((note) => `${indent}  note: ${printable(note)}`),
    ...refused,
  ];
}

interface Shown {
  readonly kinds: ReadonlyMap<string, ProbeSource['kind']>;
  readonly attacks: ReadonlyMap<string, PlannedAttack>;
}

function stepLines(shown: Shown, step: Step, indent: string): readonly string[] {
  const below = `${indent}  `;
  switch (step.kind) {
    case 'attack': {
      const planned = shown.attacks.get(step.path);
      return [`${indent}${stepText(step)}`, ...(planned === undefined ? [] : attackLines(planned, indent))];
    }
    case 'assert': {
      const kind = shown.kinds.get(step.probe);
      return [`${indent}${stepText(step)}: ${kind === undefined ? '' : expectationsText(kind, step.expect)}`];
    }
    case 'parallel':
      return [
        `${indent}at the same time:`,
        ...step.branches.flatMap((branch, index) => [
          `${below}branch ${index + 1}`,
          ...branch.flatMap((one) => stepLines(shown, one, `${below}  `)),
        ]),
      ];
    default:
      return [`${indent}${stepText(step)}`];
  }
}

function radiusText({ targets, percent, durationMs, processes }: BlastRadius, plan: ExperimentPlan): string {
  const share = plan.percent === undefined ? '' : `, ${measureText(plan.percent, '%')} of what is found`;
  const allowed = [
    count(targets, 'target'),
    ...(percent === undefined ? [] : [`${measureText(percent, '%')} of what is found`]),
    formatDuration(durationMs),
    ...(processes === undefined ? [] : [`processes named ${processes.map(printable).join(', ')}`]),
  ];
  return `Blast radius: ${count(plan.targets, 'target')}${share}; allowed: ${allowed.join(', ')}`;
}

function abortLine(shown: Shown, { probe, unless, forMs }: AbortCondition): string {
  const kind = shown.kinds.get(probe);
  return `  unless ${probe}: ${kind === undefined ? '' : expectationText(kind, unless)}, for ${formatDuration(forMs)}`;
}

function headLines({ name, hypothesis }: Experiment): readonly string[] {
  return [name, ...hypothesis.split('\n').map((line) => `  ${printable(line)}`)];
}

/** The whole experiment, as it would be run now. */
export function experimentPlanText(plan: ExperimentPlan): string {
  const { experiment, attacks } = plan;
  const { steadyState, method, abort, rollbacks, blastRadius } = experiment;
  const shown: Shown = {
    kinds: new Map(steadyState.probes.map(({ name, source }) => [name, source.kind])),
    attacks: new Map(attacks.map((one) => [one.step.path, one])),
  };
  const [before, after, recovery] = [steadyState.beforeMs, steadyState.afterMs, steadyState.recoveryMs].map(
    formatDuration,
  );
  return [
    ...headLines(experiment),
    `Steady state: ${before} before, ${after} after; ${recovery} to recover`,
    ...steadyState.probes.flatMap(probeLines),
    'Method:',
    ...method.flatMap((step) => stepLines(shown, step, '  ')),
    radiusText(blastRadius, plan),
    ...(abort.length === 0 ? [] : ['Abort:', ...abort.map((one) => abortLine(shown, one))]),
    ...(rollbacks.length === 0 ? [] : ['Rollbacks:', ...rollbacks.map((one) => `  run ${commandText(one)}`)]),
    'Nothing was touched.',
  ].join('\n');
}

/** The same for machines: the experiment with every default filled in, and what each attack would do. */
export function experimentPlanDocument({ experiment, attacks, targets, percent }: ExperimentPlan): Json {
  const { file, ...rest } = experiment;
  return toJson({
    dryRun: true,
    experiment: { ...rest, file: { name: file.name, sha256: file.sha256 } },
    attacks: attacks.map(({ step, plan, refusal }) => ({
      path: step.path,
      name: step.name,
      plan: plan ?? null,
      refusal:
        refusal === undefined ? null : { code: refusal.code, message: refusal.message, hint: refusal.hint ?? null },
    })),
    blastRadius: { targets, percent: percent ?? null },
  });
}
