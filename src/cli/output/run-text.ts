import { formatDuration } from '../../base/duration.ts';
import { count, printable } from '../../base/text.ts';
import type { RunRecord } from '../../experiment/engine.ts';
import type { RunEvent } from '../../runner/events.ts';
import type { JournalEntryDocument, PhaseName, RunDocument, RunVerdict } from '../../runner/result.ts';
import { type Color, painterFor } from './style.ts';
import { tableText } from './table.ts';

const colors: Readonly<Record<JournalEntryDocument['level'], Color | undefined>> = {
  info: undefined,
  good: 'green',
  bad: 'red',
};

const phases: Readonly<Record<PhaseName, string>> = {
  before: 'measuring the steady state',
  method: 'the method begins',
  rollback: 'rolling back',
  after: 'is it steady again?',
};

const secondsText = (ms: number): string => `${(ms / 1000).toFixed(1).padStart(6)} s`;

/** A line for what is told of a run at a moment while it goes on; undefined: it is not worth one. */
export function eventLine(event: RunEvent, atMs: number): string | undefined {
  const paint = painterFor('stderr');
  switch (event.kind) {
    case 'begun':
      return `Run ${event.uid} of ${printable(event.name)}`;
    case 'phase':
      return `${secondsText(atMs)}  ${paint('cyan', phases[event.phase])}`;
    case 'entry': {
      const { text, level } = event.entry;
      const color = colors[level];
      const words = printable(text);
      return `${secondsText(atMs)}  ${color === undefined ? words : paint(color, words)}`;
    }
    case 'tick':
      return undefined;
  }
}

/** Some lines for how it is just now: the step, and each probe's numbers. */
export function tickLines(event: Extract<RunEvent, { readonly kind: 'tick' }>): readonly string[] {
  const paint = painterFor('stderr');
  const { atMs, phase, steps, numbers } = event;
  const names = [...new Set(numbers.map(({ probe }) => probe))];
  const width = Math.max(0, ...names.map((name) => name.length));
  const line = (name: string): string => {
    const parts = numbers
      .filter(({ probe }) => probe === name)
      .map(({ measure, text = '–', held }) => `${measure} ${held ? text : paint('red', text)}`);
    return `          ${printable(name).padEnd(width)}  ${parts.join('  ')}`;
  };
  const doing = steps.length === 0 ? phases[phase] : steps.map(printable).join(' · ');
  return [`${secondsText(atMs)}  ${paint('cyan', doing)}`, ...names.map(line)];
}

const verdictColors: Readonly<Record<RunVerdict, Color>> = {
  held: 'green',
  deviated: 'yellow',
  aborted: 'red',
  error: 'red',
};

/** What became of a run, in a few lines. */
export function runText(run: RunDocument, report: string | undefined): string {
  const { uid, experiment, verdict, reason, durationMs, blastRadius, deaths } = run;
  const { actual, planned } = blastRadius;
  const word = verdict === null ? 'goes on' : painterFor('stdout')(verdictColors[verdict], verdict);
  const touched = `${actual.targets} of ${count(planned.targets, 'target')} that it may touch`;
  return [
    `Verdict:    ${word}`,
    `Reason:     ${printable(reason)}`,
    `Hypothesis: ${printable(experiment.hypothesis)}`,
    `Run:        ${uid}, ${formatDuration(durationMs)}, ${touched}, ${count(deaths.length, 'death')}`,
    `Report:     ${report === undefined ? `faultline report ${uid}` : printable(report)}`,
  ].join('\n');
}

const columns = ['UID', 'EXPERIMENT', 'STARTED', 'DURATION', 'VERDICT', 'REASON'];

/** How much of a reason a list shows. */
const longestReason = 60;

function rowOf({ uid, name, startedAt, endedAt, verdict, reason }: RunRecord): readonly string[] {
  const words = printable(reason ?? '');
  return [
    uid,
    printable(name),
    new Date(startedAt).toISOString(),
    endedAt === null ? '' : formatDuration(endedAt - startedAt),
    verdict ?? 'goes on',
    words.length > longestReason ? `${words.slice(0, longestReason - 1)}…` : words,
  ];
}

export function runsTable(runs: readonly RunRecord[]): Promise<string> {
  return tableText(columns, runs.map(rowOf));
}
