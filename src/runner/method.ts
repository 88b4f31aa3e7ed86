import { delayUnless } from '../base/delay.ts';
import { formatDuration } from '../base/duration.ts';
import { type Begun, performAttack, type StepResult, undoAttack } from './attack-step.ts';
import { commandText, runCommand } from './command.ts';
import { examineSpan, measureOf } from './examination.ts';
import type { Step } from './experiment.ts';
import { everyMsOf } from './file/probes.ts';
import { tellDeviation } from './method-judge.ts';
import { probeNamed, type Scene } from './scene.ts';
import { looked, settled } from './settled.ts';
import { wordsOf } from './words.ts';

/** What a step does, for people. */
export function stepText(step: Step): string {
  switch (step.kind) {
    case 'attack': {
      const what = `${step.fault} ${step.action}`;
      return step.name === what ? `attack ${what}` : `attack ${what}: ${step.name}`;
    }
    case 'recover':
      return `recover ${step.attack}`;
    case 'wait':
      return `wait ${formatDuration(step.ms)}`;
    case 'assert':
      return `assert ${step.probe}`;
    case 'run':
      return `run ${commandText(step.command)}`;
    case 'parallel':
      return `${step.branches.length} branches`;
  }
}

/** One branch of the method. */
interface Branch {
  readonly scene: Scene;
  readonly begun: Begun;
  /** Since when assertions look. */
  readonly fromMs: number;
  /** Up to when its assertions have looked at each probe. */
  readonly assertedMs: Map<string, number>;
}

const done: StepResult = { outcome: 'done', detail: null };

async function recover({ scene, begun }: Branch, attack: string): Promise<StepResult> {
  const known = begun.get(attack);
  if (known === undefined) return { outcome: 'failed', detail: `${attack} was not begun` };
  const failure = await undoAttack(scene, known.step, known.uid);
  if (failure === undefined) {
    scene.ledger.note(`${attack} is undone`);
    return done;
  }
  scene.stop('error', `${attack} could not be undone: ${failure}`);
  return { outcome: 'failed', detail: failure };
}

/** Looks that see the same within this time are kept as one: by then there is a new one. */
const newLookMs = 250;

/** Of measures of single looks the next one counts, for "now" is what is meant; of others what was since the last. */
async function assert(branch: Branch, step: Extract<Step, { readonly kind: 'assert' }>): Promise<StepResult> {
  const { scene, assertedMs, fromMs } = branch;
  const { ledger, stopped } = scene;
  const running = probeNamed(scene, step.probe);
  const nowMs = ledger.clock();
  const since = { fromMs: assertedMs.get(step.probe) ?? fromMs, toMs: nowMs };
  assertedMs.set(step.probe, nowMs);
  const isOfLooks = (measure: string): boolean => measureOf(running, measure).over === 'look';
  const mustLook = step.expect.some(({ measure }) => isOfLooks(measure));
  const dueMs = mustLook ? nowMs + everyMsOf(running.probe.source) + newLookMs : nowMs;
  if (dueMs > nowMs) await delayUnless(stopped, dueMs - nowMs);
  await settled([running], { clock: ledger.clock, untilMs: dueMs, over: stopped });
  const look = { clock: ledger.clock, fromMs: nowMs, untilMs: dueMs, over: stopped };
  const untilMs = mustLook ? await looked(running, look) : dueMs;
  if (stopped.aborted) return { outcome: 'interrupted', detail: null };
  const bad = step.expect
    .map((expectation) => {
      const span = isOfLooks(expectation.measure) ? { fromMs: nowMs, toMs: untilMs } : since;
      const examined = examineSpan(running, expectation, span, undefined);
      return { probe: running.probe, expectation, phase: 'method' as const, examined };
    })
    .filter(({ examined }) => !examined.held);
  for (const judgement of bad) tellDeviation(scene, judgement, { ...since, toMs: untilMs });
  return bad.length === 0 ? done : { outcome: 'failed', detail: 'was not as asserted' };
}

async function runStep({ scene }: Branch, step: Extract<Step, { readonly kind: 'run' }>): Promise<StepResult> {
  const { succeeded, detail } = await runCommand(step.command, scene.stopped);
  if (succeeded) return done;
  if (scene.stopped.aborted) return { outcome: 'interrupted', detail };
  scene.stop('error', `${commandText(step.command)}: ${detail ?? 'failed'}`);
  return { outcome: 'failed', detail };
}

async function wait({ scene }: Branch, ms: number): Promise<StepResult> {
  await delayUnless(scene.stopped, ms);
  return done;
}

async function parallel(branch: Branch, branches: readonly (readonly Step[])[]): Promise<StepResult> {
  // Each goes on from here: what one has asserted is no business of the others.
  await Promise.all(
    branches.map((steps) => performSteps({ ...branch, assertedMs: new Map(branch.assertedMs) }, steps)),
  );
  return done;
}

function perform(branch: Branch, step: Step): Promise<StepResult> {
  switch (step.kind) {
    case 'attack':
      return performAttack(branch.scene, step, branch.begun);
    case 'recover':
      return recover(branch, step.attack);
    case 'wait':
      return wait(branch, step.ms);
    case 'assert':
      return assert(branch, step);
    case 'run':
      return runStep(branch, step);
    case 'parallel':
      return parallel(branch, step.branches);
  }
}

/** Asked again and again: it changes while steps are waited for. */
function isStopped({ stopped }: Scene): boolean {
  return stopped.aborted;
}

function skip({ ledger }: Scene, steps: readonly Step[]): void {
  for (const step of steps) ledger.skipStep(step.path, stepText(step));
}

async function performSteps(branch: Branch, steps: readonly Step[]): Promise<void> {
  const { scene } = branch;
  for (const [index, step] of steps.entries()) {
    if (isStopped(scene)) {
      skip(scene, steps.slice(index));
      return;
    }
    const open = scene.ledger.beginStep(step.path, stepText(step));
    try {
      const { outcome, detail } = await perform(branch, step);
      // What is broken off half way is not done, however far it got.
      const isCut = outcome === 'done' && isStopped(scene) && (step.kind === 'wait' || step.kind === 'parallel');
      open.end(isCut ? 'interrupted' : outcome, detail);
    } catch (error) {
      // Not thrown on: other branches have to come to their end before anything is undone.
      const words = wordsOf(error);
      open.end('failed', words);
      scene.stop('error', words);
    }
  }
}

/**
 * Do what the method says, until it is over or stopped. Never throws: what goes wrong stops the scene.
 *
 * @param fromMs since when its assertions look
 * @param begun gets the attacks as they begin
 */
export async function performMethod(scene: Scene, fromMs: number, begun: Begun): Promise<void> {
  await performSteps({ scene, begun, fromMs, assertedMs: new Map() }, scene.experiment.method);
}
