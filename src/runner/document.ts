import { availableParallelism, hostname } from 'node:os';
import { textOf } from '../base/json.ts';
import { version } from '../base/version.ts';
import { kernelRelease } from '../linux/kernel-release.ts';
import { userName } from '../linux/users.ts';
import type { Experiment } from './experiment.ts';
import type { Ledger } from './ledger.ts';
import type { RunningProbe } from './probe/probe.ts';
import type { ProbeDocument, RunDocument } from './result.ts';
import { sourceText } from './source-text.ts';
import type { Judgement } from './steady.ts';

function probeDocument(running: RunningProbe, judgements: readonly Judgement[], whole: boolean): ProbeDocument {
  const { probe } = running;
  return {
    name: probe.name,
    kind: probe.source.kind,
    target: sourceText(probe.source),
    judgements: judgements
      .filter((one) => one.probe.name === probe.name)
      .map(({ phase, expectation: { measure }, examined: { expected, actual, held } }) => {
        return { phase, measure, expected, actual, held };
      }),
    series: whole ? running.series() : [],
    failures: running.failures(),
  };
}

/** What does not change while a run goes on. */
export type RunHead = Pick<RunDocument, 'uid' | 'experiment' | 'host' | 'startedAt'>;

export function headOf({ file, name, description, hypothesis }: Experiment, uid: string, startedAt: number): RunHead {
  const user = process.geteuid?.() ?? 0;
  return {
    uid,
    experiment: {
      name,
      description: description ?? null,
      hypothesis,
      file: file.name,
      sha256: file.sha256,
      text: file.text,
    },
    host: {
      name: hostname(),
      kernel: kernelRelease(),
      cpus: availableParallelism(),
      faultline: version,
      user: userName(user) ?? textOf(user),
    },
    startedAt: new Date(startedAt).toISOString(),
  };
}

export interface RunKnown {
  readonly head: RunHead;
  readonly experiment: Experiment;
  readonly ledger: Ledger;
  readonly probes: readonly RunningProbe[];
  readonly judgements: readonly Judgement[];
}

function actualRadius({ ledger }: RunKnown): RunDocument['blastRadius']['actual'] {
  const { injections, phases } = ledger.parts();
  const method = phases.find(({ name }) => name === 'method');
  const shares = injections.flatMap(({ percent }) => (percent === null ? [] : [percent]));
  return {
    targets: injections.reduce((sum, { targets }) => sum + targets.length, 0),
    percent: shares.length === 0 ? null : Math.max(...shares),
    durationMs: method === undefined ? 0 : method.toMs - method.fromMs,
  };
}

/**
 * All that is known of a run.
 *
 * @param isOver with its end, and with the probes' curves, which are too long to be written again and again
 */
export function documentOf(known: RunKnown, isOver: boolean): RunDocument {
  const { head, experiment, ledger, probes, judgements } = known;
  const { targets, percent, durationMs } = experiment.blastRadius;
  const decided = ledger.decision() ?? { verdict: 'held', reason: 'every probe stayed within its tolerances' };
  const elapsedMs = ledger.clock();
  const { deviations, phases, ...parts } = ledger.parts();
  return {
    ...head,
    endedAt: isOver ? new Date(Date.parse(head.startedAt) + elapsedMs).toISOString() : null,
    durationMs: elapsedMs,
    verdict: isOver ? decided.verdict : null,
    reason: isOver ? decided.reason : '',
    deviations,
    phases,
    probes: probes.map((one) => probeDocument(one, judgements, isOver)),
    ...parts,
    blastRadius: { planned: { targets, percent: percent ?? null, durationMs }, actual: actualRadius(known) },
  };
}
