import { FaultlineError } from '../base/error.ts';
import { toJson, type JsonObject } from '../base/json.ts';
import type { Engine } from '../experiment/engine.ts';
import type { OngoingRun } from '../experiment/runs.ts';
import { bootTimeMs } from '../linux/clock.ts';
import { watchForAbort } from './abort-watch.ts';
import type { Begun } from './attack-step.ts';
import { type DeathWatcher, type DeathWitness, openDeathWitness, watchDeathsOf } from './death-watch.ts';
import { documentOf, headOf, type RunHead } from './document.ts';
import type { RunObserver } from './events.ts';
import type { Experiment } from './experiment.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { type HoldUps, watchHoldUps } from './held-up.ts';
import { judgeMethod, type MethodJudge } from './method-judge.ts';
import { performMethod } from './method.ts';
import { numbersOf } from './numbers.ts';
import type { RunningProbe } from './probe/probe.ts';
import { startProbe } from './probe/start.ts';
import { openRecorder, type Recorder } from './record.ts';
import type { RunDocument } from './result.ts';
import type { Scene } from './scene.ts';
import { type Judgement, measureAfter, measureBefore } from './steady.ts';
import { everyTick } from './ticker.ts';
import { runRollbacks, undoInjections } from './undo.ts';
import { wordsOf } from './words.ts';

export interface RunOptions {
  /** Aborted when the user wants out: the method ends, all is undone, and it is measured once more. */
  readonly interrupted: AbortSignal;
  /** Aborted when the user insists: injections are undone, and nothing else is begun any more. */
  readonly insisted: AbortSignal;
  readonly observe: RunObserver;
}

/** A run with what it consists of. */
interface Stage {
  readonly scene: Scene;
  readonly options: RunOptions;
  readonly ongoing: OngoingRun;
  readonly recorder: Recorder;
  readonly head: RunHead;
  readonly judgements: Judgement[];
  readonly deaths: DeathWatcher | undefined;
  /** What is looked at several times a second while the method goes on. */
  onTick: (() => void) | undefined;
}

function knownOf({ scene, head, judgements }: Pick<Stage, 'scene' | 'head' | 'judgements'>, isOver: boolean) {
  const { experiment, ledger, probes } = scene;
  return documentOf({ head, experiment, ledger, probes, judgements }, isOver);
}

function sceneOf(
  experiment: Experiment,
  engine: Engine,
  options: RunOptions,
  made: Pick<Scene, 'uid' | 'ledger' | 'probes' | 'startBootMs' | 'written'>,
): Scene {
  const stopping = new AbortController();
  const told = new Set<string>();
  const { ledger } = made;
  const scene: Scene = Object.freeze({
    ...made,
    experiment,
    engine: engine.interruptedBy(stopping.signal),
    stopped: stopping.signal,
    insisted: options.insisted,
    stop: (verdict: 'aborted' | 'error', reason: string) => {
      ledger.decide(verdict, reason);
      // What fails at each look fails several times a second.
      if (!told.has(reason)) ledger.note(`${verdict}: ${reason}`, 'bad');
      told.add(reason);
      stopping.abort();
    },
  });
  const onInterrupted = (): void => {
    scene.stop('aborted', 'interrupted by the user');
  };
  options.interrupted.addEventListener('abort', onInterrupted);
  options.insisted.addEventListener('abort', () => {
    ledger.note('the user insisted: only injections are undone', 'bad');
  });
  if (options.interrupted.aborted) onInterrupted();
  return scene;
}

/** The judging of the method, which must not keep the rollbacks from their end. */
async function finishJudging(scene: Scene, judge: MethodJudge, toMs: number): Promise<readonly Judgement[]> {
  try {
    return await judge.finish(toMs);
  } catch (error) {
    scene.stop('error', wordsOf(error));
    return [];
  }
}

async function measureOnceMore({ scene, options, judgements }: Stage, holdUps: HoldUps): Promise<void> {
  if (options.insisted.aborted) return;
  // Who first wants out when all is undone already need not wait for the rest.
  const over = options.interrupted.aborted ? [] : [options.interrupted];
  const insisted = AbortSignal.any([options.insisted, ...over]);
  judgements.push(...(await measureAfter({ ...scene, insisted }, holdUps)));
}

/** All phases of a run. */
async function perform(stage: Stage, holdUps: HoldUps): Promise<void> {
  const { scene, ongoing, judgements } = stage;
  const { ledger, experiment } = scene;
  const before = await measureBefore(scene);
  judgements.push(...before.judgements);
  if (scene.stopped.aborted) return;
  await ongoing.allow(experiment.blastRadius.durationMs);
  const fromMs = ledger.beginPhase('method');
  const judge = judgeMethod(scene, before.toMs);
  const watch = watchForAbort(scene, fromMs, holdUps);
  stage.onTick = () => {
    watch();
    judge.look();
  };
  const begun: Begun = new Map();
  await performMethod(scene, before.toMs, begun); // its assertions look back as far as that
  await undoInjections(scene, begun);
  stage.onTick = undefined;
  const toMs = ledger.endPhase();
  // What began in the method may be over only now: it is judged while the rollbacks run.
  const [judged] = await Promise.all([finishJudging(scene, judge, toMs), runRollbacks(scene)]);
  judgements.push(...judged);
  await measureOnceMore(stage, holdUps);
}

async function tick({ scene, options, deaths, recorder }: Stage): Promise<void> {
  const { ledger, probes } = scene;
  await deaths?.look();
  const phase = ledger.phase();
  const numbers = numbersOf(probes, phase, ledger.clock);
  options.observe({ kind: 'tick', atMs: ledger.clock(), phase, steps: ledger.atWork(), numbers });
  const failure = recorder.failure();
  if (failure !== undefined && !scene.stopped.aborted) scene.stop('error', failure.message);
}

/** Who died last belongs to the run; that nobody can tell must not keep it from its end. */
async function lookAtLastDeaths({ scene, deaths }: Stage): Promise<void> {
  try {
    await deaths?.look(true);
  } catch (error) {
    scene.ledger.note(`deaths of the end are not known: ${wordsOf(error)}`, 'bad');
  }
}

/** End what has been started, and write down the end. */
async function conclude(stage: Stage): Promise<RunDocument> {
  const { scene, ongoing, recorder } = stage;
  const { ledger, probes } = scene;
  await Promise.all(probes.map((probe) => probe.stop()));
  await lookAtLastDeaths(stage);
  ledger.endPhase();
  const decision = ledger.decision();
  ledger.note(decision?.verdict ?? 'held', decision === undefined ? 'good' : 'bad');
  await recorder.close();
  const document = knownOf(stage, true);
  try {
    const { verdict, reason } = document;
    await ongoing.end({ verdict: verdict ?? 'error', reason, document: toJson(document) as JsonObject });
    return document;
  } catch (error) {
    if (!(error instanceof FaultlineError)) throw error;
    const reason = `the run could not be written down: ${error.message}`;
    ledger.decide('error', reason);
    ledger.note(reason, 'bad');
    return knownOf(stage, true);
  }
}

async function performOn(stage: Stage): Promise<RunDocument> {
  const { scene } = stage;
  const holdUps = watchHoldUps(scene.ledger);
  const onError = (error: unknown): void => {
    scene.stop('error', wordsOf(error));
  };
  // Apart from each other: deaths are written down, and a journal that is held must not keep an abort waiting.
  const ends = [everyTick(() => stage.onTick?.(), onError), everyTick(() => tick(stage), onError)];
  try {
    await perform(stage, holdUps);
  } catch (error) {
    scene.stop('error', wordsOf(error));
  } finally {
    await Promise.all(ends.map((end) => end()));
    holdUps.end();
  }
  return conclude(stage);
}

/** A ledger whose lines are written down as they come. */
function recordingLedger(options: RunOptions, touch: () => void): Ledger {
  const zeroMs = performance.now();
  return openLedger(
    () => performance.now() - zeroMs,
    (event) => {
      options.observe(event);
      touch();
    },
  );
}

async function begin(
  experiment: Experiment,
  engine: Engine,
  options: RunOptions,
  witness: DeathWitness,
): Promise<Stage> {
  const made: { ongoing: OngoingRun | undefined } = { ongoing: undefined };
  const probes: RunningProbe[] = [];
  const judgements: Judgement[] = [];
  const [startedAt, startBootMs] = [Date.now(), bootTimeMs()];
  const documentNow = (uid: string): JsonObject => {
    const head = headOf(experiment, uid, startedAt);
    return toJson(documentOf({ head, experiment, ledger, probes, judgements }, false)) as JsonObject;
  };
  const recorder = openRecorder(async () => {
    const { ongoing } = made;
    await ongoing?.write(documentNow(ongoing.uid));
  });
  const ledger = recordingLedger(options, () => {
    recorder.touch();
  });
  const { name, file, blastRadius } = experiment;
  const { targets, percent = null, processes = null } = blastRadius;
  const beginning = { name, file: file.name, blastRadius: { targets, percent, processes } };
  const ongoing = await engine.runs.begin(beginning, documentNow);
  made.ongoing = ongoing;
  const { uid } = ongoing;
  options.observe({ kind: 'begun', uid, name });
  const written = (): Promise<void> => recorder.written();
  const scene = sceneOf(experiment, engine, options, { uid, ledger, probes, startBootMs, written });
  try {
    for (const probe of experiment.steadyState.probes) probes.push(startProbe(probe, ledger.clock));
  } catch (error) {
    // No thread to be had. It has begun all the same, and must come to its end, with the probes that there are.
    scene.stop('error', wordsOf(error));
  }
  const deaths = witness.watch === undefined ? undefined : watchDeathsOf(scene, witness.watch);
  ledger.note(witness.note);
  const head = headOf(experiment, uid, startedAt);
  return { scene, options, ongoing, recorder, head, judgements, deaths, onTick: undefined };
}

/**
 * Run an experiment from its start to its verdict. Whatever happens, what it injects is undone.
 *
 * @returns what became of it; what went wrong on the way is in there
 * @throws {FaultlineError} STATE_…, HOST_UNSUPPORTED: it could not even begin
 */
export async function runExperiment(experiment: Experiment, engine: Engine, options: RunOptions): Promise<RunDocument> {
  const witness = await openDeathWitness();
  try {
    return await performOn(await begin(experiment, engine, options, witness));
  } finally {
    witness.close();
  }
}
