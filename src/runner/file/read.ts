import { createHash } from 'node:crypto';
import { formatSize } from '../../base/size.ts';
import type { Experiment, SteadyState, Step } from '../experiment.ts';
import { crossCheck } from './cross-check.ts';
import { type Fields, fieldsOf, mapIn, optional, type Reader, required } from './fields.ts';
import { abortOf, blastRadiusExample, blastRadiusOf, rollbacksOf } from './limits.ts';
import { placeIn } from './place.ts';
import { everyMsOf, namePattern, probeKinds, probesOf } from './probes.ts';
import { openProblems, type Problems, problemsError, type Spot } from './problems.ts';
import { duration, durationOrNone, prose, text } from './scalars.ts';
import { type AttackSite, type StepContext, stepsOf } from './steps.ts';
import { type Part, readTree } from './tree.ts';

/*
 * The file of an experiment. `docs/experiments.md` is its reference.
 */

/** An experiment with the way back to its file. */
export interface ExperimentText {
  readonly experiment: Experiment;
  /** Where a part of the file begins: `method[2].parallel[0]`, `blastRadius.targets`; or what is there of its path. */
  readonly placeOf: (path: string) => Spot;
}

const mostBytes = 128 * 1024;

export const topKeys = [
  'experiment',
  'description',
  'hypothesis',
  'steadyState',
  'method',
  'blastRadius',
  'abort',
  'rollbacks',
] as const;

export const steadyStateKeys = ['before', 'after', 'recovery', 'probes'] as const;

const defaults = { beforeMs: 3000, afterMs: 3000, recoveryMs: 10_000 } as const;

const experimentName: Reader<string> = (problems, part, what) => {
  const name = text(problems, part, what);
  if (name === undefined || namePattern.test(name)) return name;
  const hint = 'up to 64 letters, digits, - and _: kill-under-load';
  return problems.add(part.at, `"${name.slice(0, 80)}" cannot be the name of an experiment`, hint);
};

/** The part itself: what is done with it has to be awaited. */
const asIs: Reader<Part> = (_problems, part) => part;

async function steadyStateOf(problems: Problems, part: Part): Promise<SteadyState | undefined> {
  const map = mapIn(problems, part, 'steadyState', 'probes: below it, and probes below that');
  if (map === undefined) return undefined;
  const fields = fieldsOf(problems, map, 'steadyState', steadyStateKeys);
  const times = {
    beforeMs: optional(fields, 'before', duration) ?? defaults.beforeMs,
    afterMs: optional(fields, 'after', duration) ?? defaults.afterMs,
    recoveryMs: optional(fields, 'recovery', durationOrNone) ?? defaults.recoveryMs,
  };
  const probes = required(fields, 'probes', asIs, 'steadyState', 'probes: what is measured, each with a name');
  return { probes: probes === undefined ? [] : await probesOf(problems, probes), ...times };
}

function probesPart(part: Part | undefined): Part | undefined {
  return part?.kind === 'map' ? part.entries.find(({ key }) => key === 'probes')?.value : undefined;
}

interface Method {
  readonly steps: readonly Step[];
  readonly attacks: ReadonlyMap<string, AttackSite>;
}

async function methodOf(fields: Fields, kinds: StepContext['kinds']): Promise<Method> {
  const { problems } = fields;
  const attacks = new Map<string, AttackSite>();
  const part = required(
    fields,
    'method',
    asIs,
    'the experiment',
    'method: and below it the steps, such as "- wait: 2s"',
  );
  const position = { path: 'method', made: new Set<string>() };
  const steps = part === undefined ? [] : await stepsOf({ problems, kinds, attacks }, part, 'method', position);
  return { steps, attacks };
}

const wantedTop = 'an experiment begins with "experiment: its-name"; faultline init prints a whole one';

async function experimentOf(problems: Problems, tree: Part, file: Experiment['file']): Promise<Experiment | undefined> {
  const isEmpty = tree.kind === 'scalar' && tree.value === null;
  if (isEmpty) return problems.add(tree.at, 'the file is empty', wantedTop);
  if (tree.kind !== 'map') return problems.add(tree.at, 'this is no experiment', wantedTop);
  const fields = fieldsOf(problems, tree, 'an experiment', topKeys);
  const name = required(fields, 'experiment', experimentName, 'the file', 'experiment: its-name');
  const description = optional(fields, 'description', prose);
  const hypothesis = required(
    fields,
    'hypothesis',
    prose,
    'the experiment',
    'hypothesis: what you believe, in a sentence',
  );
  const steady = required(fields, 'steadyState', asIs, 'the experiment', 'steadyState: with probes');
  const steadyState = steady === undefined ? undefined : await steadyStateOf(problems, steady);
  const kinds = probeKinds(probesPart(steady));
  const method = await methodOf(fields, kinds);
  const radius = required(fields, 'blastRadius', asIs, 'the experiment', blastRadiusExample);
  const limits = radius === undefined ? undefined : blastRadiusOf(problems, radius);
  const aborting = fields.entry('abort')?.value;
  const everyMs = new Map(steadyState?.probes.map(({ name: probe, source }) => [probe, everyMsOf(source)]));
  const abort = aborting === undefined ? [] : await abortOf(problems, aborting, { kinds, everyMs });
  const rollbacks = optional(fields, 'rollbacks', rollbacksOf) ?? [];
  if (steadyState === undefined || limits?.radius === undefined || name === undefined || hypothesis === undefined) {
    return undefined;
  }
  const blastRadius = limits.radius;
  const experiment = {
    file,
    name,
    description,
    hypothesis,
    steadyState,
    method: method.steps,
    blastRadius,
    abort,
    rollbacks,
  };
  crossCheck(problems, experiment, { tree, attacks: method.attacks, limits: limits.fields });
  return experiment;
}

function freezeAll<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const one of Object.values(value)) freezeAll(one);
  return Object.freeze(value);
}

/**
 * Read an experiment, and keep the way back to its file.
 *
 * @param name of the file, as the user named it
 * @throws {FaultlineError} EXPERIMENT_INVALID: tells all that is wrong, each with file, line and column
 */
export async function readExperimentFile(given: string, name: string): Promise<ExperimentText> {
  const problems = openProblems();
  const start = { line: 1, column: 1 };
  const bytes = Buffer.byteLength(given);
  if (bytes > mostBytes) {
    problems.add(
      start,
      `the file is too large: ${formatSize(bytes)}`,
      `an experiment has at most ${formatSize(mostBytes)}`,
    );
    throw problemsError(name, problems.all());
  }
  const tree = await readTree(given, problems);
  const sha256 = createHash('sha256').update(given).digest('hex');
  const experiment = tree && (await experimentOf(problems, tree, { name, text: given, sha256 }));
  const found = problems.all();
  if (found.length > 0 || tree === undefined || experiment === undefined) throw problemsError(name, found);
  return Object.freeze({ experiment: freezeAll(experiment), placeOf: (path: string) => placeIn(tree, path) });
}

/**
 * Read an experiment.
 *
 * @param name of the file, as the user named it
 * @throws {FaultlineError} EXPERIMENT_INVALID: tells all that is wrong, each with file, line and column
 */
export async function readExperiment(given: string, name: string): Promise<Experiment> {
  return (await readExperimentFile(given, name)).experiment;
}
