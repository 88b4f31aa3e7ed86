import type { Deviation, PhaseName, RunDocument, StepDocument } from '../result.ts';
import { moment, sentence, valueText } from './plain-text.ts';
import { documentText, type Markup, markup, preformatted } from './page/markup.ts';
import { extents, outcomeOf, verdictMeaning } from './verdict.ts';

/*
 * JUnit XML as CI systems read it: https://github.com/testmoapp/junitxml describes what they agree on.
 */

interface Case {
  readonly group: string;
  readonly name: string;
  readonly tookMs: number;
  readonly result:
    | { readonly kind: 'passed' }
    | { readonly kind: 'failure' | 'error' | 'skipped'; readonly message: string };
}

const passed = { kind: 'passed' } as const;
const failure = (message: string): Case['result'] => ({ kind: 'failure', message });
const skipped = (message: string): Case['result'] => ({ kind: 'skipped', message });

function tookMs({ phases }: RunDocument, name: PhaseName): number {
  return phases.filter((phase) => phase.name === name).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

/** The verdict itself, so that a run that did not hold never looks like one that did. */
function hypothesisCase(run: RunDocument): Case {
  const outcome = outcomeOf(run);
  const message = run.reason.trim() === '' ? verdictMeaning(outcome) : sentence(run.reason);
  const name = `hypothesis: ${run.experiment.hypothesis}`;
  const group = 'verdict';
  if (outcome === 'held') return { group, name, tookMs: run.durationMs, result: passed };
  const kind = outcome === 'deviated' ? 'failure' : 'error';
  return { group, name, tookMs: run.durationMs, result: { kind, message: `${outcome}: ${message}` } };
}

function told({ probe, measure, expected, actual, atMs }: Deviation): string {
  return `${probe}: ${measure} was ${actual}, expected ${expected}, ${moment(atMs)}`;
}

/** All that was expected in a phase, as one. */
function phaseResult(run: RunDocument, phase: PhaseName): Case['result'] {
  const judgements = run.probes.flatMap((probe) => probe.judgements.filter((one) => one.phase === phase));
  if (judgements.length === 0) return skipped('not measured');
  const first = run.deviations.find((deviation) => deviation.phase === phase);
  if (judgements.every(({ held }) => held)) return passed;
  return failure(first === undefined ? 'not steady' : told(first));
}

function expectationCases(run: RunDocument): readonly Case[] {
  return run.probes.flatMap((probe) =>
    probe.judgements.map(({ phase, measure, expected, actual, held }): Case => {
      const seen = run.deviations.find(
        (one) => one.probe === probe.name && one.measure === measure && one.phase === phase,
      );
      const message = seen === undefined ? `${measure} was ${actual}, expected ${expected}` : told(seen);
      return {
        group: phase,
        name: `${probe.name}: ${measure} ${expected}`,
        tookMs: tookMs(run, phase),
        result: held ? passed : failure(message),
      };
    }),
  );
}

function stepResult({ outcome, detail, fromMs }: StepDocument): Case['result'] {
  if (outcome === 'done') return passed;
  const message = `${detail ?? outcome}, ${moment(fromMs)}`;
  return outcome === 'failed' ? failure(message) : skipped(message);
}

function stepCases({ steps }: RunDocument): readonly Case[] {
  return steps.map((step) => ({
    group: 'steps',
    name: `${step.path}: ${step.text}`,
    tookMs: Math.max(0, (step.toMs ?? step.fromMs) - step.fromMs),
    result: stepResult(step),
  }));
}

function blastRadiusCase(run: RunDocument): Case {
  const beyond = extents(run).filter((extent) => extent.beyond);
  const message = beyond
    .map(({ what, planned, actual, unit }) => {
      return `${what}: ${valueText(actual ?? 0, unit)}, at most ${valueText(planned ?? 0, unit)} planned`;
    })
    .join('; ');
  return {
    group: 'blast radius',
    name: 'within the plan',
    tookMs: 0,
    result: message === '' ? passed : failure(message),
  };
}

/** All was undone, the rollbacks succeeded, and the system was steady again. */
function recoveryCases(run: RunDocument): readonly Case[] {
  const standing = run.injections.filter(({ state }) => !['recovered', 'unrecoverable', 'failed'].includes(state));
  const undone = standing.length === 0 ? passed : failure(`${standing.map(({ name }) => name).join(', ')} not undone`);
  return [
    { group: 'recovery', name: 'faults are undone', tookMs: tookMs(run, 'rollback'), result: undone },
    ...run.rollbacks.map(({ text, fromMs, toMs, succeeded, detail }): Case => {
      const result = succeeded ? passed : failure(`${detail ?? 'failed'}, ${moment(fromMs)}`);
      return { group: 'recovery', name: `rollback: ${text}`, tookMs: Math.max(0, toMs - fromMs), result };
    }),
    { group: 'recovery', name: 'steady after', tookMs: tookMs(run, 'after'), result: phaseResult(run, 'after') },
  ];
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

function caseMarkup(experiment: string, { group, name, tookMs: took, result }: Case): Markup {
  const detail =
    result.kind === 'passed'
      ? undefined
      : result.kind === 'skipped'
        ? markup`<skipped message="${result.message}"/>`
        : result.kind === 'failure'
          ? markup`<failure message="${result.message}" type="deviation">${result.message}</failure>`
          : markup`<error message="${result.message}" type="run">${result.message}</error>`;
  const where = markup`classname="${experiment}.${group}" name="${name}" time="${seconds(took)}"`;
  return markup`    <testcase ${where}>${detail}</testcase>\n`;
}

/** Of the document: what CI shows beside the cases. */
function properties({ uid, experiment, host, verdict }: RunDocument): Markup {
  const entries: readonly (readonly [string, string])[] = [
    ['verdict', verdict ?? 'unfinished'],
    ['run', uid],
    ['sha256', experiment.sha256],
    ['faultline', host.faultline],
    ['kernel', host.kernel],
  ];
  const all = entries.map(([name, value]) => markup`<property name="${name}" value="${value}"/>`);
  return markup`<properties>${all}</properties>`;
}

/** A run as JUnit XML, one test suite: verdict, steady state, every expectation, every step, blast radius, recovery. */
export function junitReport(run: RunDocument): string {
  const before: Case = {
    group: 'before',
    name: 'steady before',
    tookMs: tookMs(run, 'before'),
    result: phaseResult(run, 'before'),
  };
  const cases = [
    hypothesisCase(run),
    before,
    ...expectationCases(run),
    ...stepCases(run),
    blastRadiusCase(run),
    ...recoveryCases(run),
  ];
  const counted = (kind: Case['result']['kind']): number => cases.filter(({ result }) => result.kind === kind).length;
  const { name } = run.experiment;
  const sums = markup`tests="${cases.length}" failures="${counted('failure')}"
    errors="${counted('error')}" skipped="${counted('skipped')}" time="${seconds(run.durationMs)}"`;
  const journal = run.journal.map(({ atMs, text }) => `${moment(atMs)} ${text.replaceAll(/\s+/gu, ' ')}`).join('\n');
  return documentText(markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="faultline" ${sums}>
  <testsuite name="${name}" ${sums} timestamp="${run.startedAt}" hostname="${run.host.name}">
    ${properties(run)}
${cases.map((one) => caseMarkup(name, one))}    <system-out>${preformatted(journal)}</system-out>
  </testsuite>
</testsuites>
`);
}
