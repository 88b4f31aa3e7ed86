import { count } from '../../base/text.ts';
import type { PhaseName, ProbeDocument, RunDocument } from '../result.ts';
import { code, codeBlock, inline, table } from './markdown-text.ts';
import { dateText, duration, moment, sentence, valueText } from './plain-text.ts';
import { sparkline } from './sparkline.ts';
import { againCommand, extents, outcomeOf, type Outcome, verdictMeaning, verdictWord } from './verdict.ts';

const symbols: Readonly<Record<Outcome, string>> = {
  held: '✔',
  deviated: '✘',
  aborted: '■',
  error: '⚠',
  unfinished: '…',
};

const mark = (isGood: boolean): string => (isGood ? '✔' : '✘');

/** A heading with what stands below it; nothing where there is nothing. */
function section(title: string, ...parts: readonly string[]): string {
  const content = parts.filter((part) => part !== '').join('\n\n');
  return content === '' ? '' : `## ${title}\n\n${content}`;
}

function facts(run: RunDocument): string {
  const { host, injections, deaths } = run;
  return [
    dateText(run.startedAt),
    `took ${duration(run.durationMs)}`,
    count(injections.length, 'fault'),
    count(deaths.length, 'death'),
    `on ${code(host.name)}`,
  ].join(' · ');
}

function head(run: RunDocument): string {
  const outcome = outcomeOf(run);
  const reason = run.reason.trim() === '' ? verdictMeaning(outcome) : sentence(run.reason);
  return [
    `# ${symbols[outcome]} ${verdictWord(outcome)}: ${inline(run.experiment.name)}`,
    `**${inline(reason)}**`,
    `> ${inline(run.experiment.hypothesis)}`,
    facts(run),
  ].join('\n\n');
}

function deviations(run: RunDocument): string {
  const rows = run.deviations.map(({ probe, measure, expected, actual, phase, atMs }) => [
    code(probe),
    inline(measure),
    inline(expected),
    `**${inline(actual)}**`,
    `${moment(atMs)} (${phase})`,
  ]);
  return section('What deviated', table(['Probe', 'Measure', 'Expected', 'Actual', 'When'], rows));
}

const phases: readonly PhaseName[] = ['before', 'method', 'after'];

function judged({ judgements }: ProbeDocument, measure: string, phase: PhaseName): string {
  const found = judgements.filter((one) => one.measure === measure && one.phase === phase);
  return found.length === 0
    ? '–'
    : found.map(({ held, actual, expected }) => `${mark(held)} ${inline(actual)} (${inline(expected)})`).join(', ');
}

function measurements({ probes }: RunDocument): string {
  const rows = probes.flatMap((probe) =>
    [...new Set(probe.judgements.map(({ measure }) => measure))].map((measure) => [
      code(probe.name),
      inline(measure),
      ...phases.map((phase) => judged(probe, measure, phase)),
    ]),
  );
  const curves = probes.flatMap(({ name, series }) =>
    series.map((one) => {
      const values = one.points.map(([, value]) => value).filter((value) => value !== null);
      const ends = [Math.min, Math.max].map((pick) =>
        values.length === 0
          ? '–'
          : valueText(
              values.reduce((a, b) => pick(a, b)),
              one.unit,
            ),
      );
      return [code(name), inline(one.measure), ...ends.map(inline), code(sparkline(one))];
    }),
  );
  return section(
    'What was measured',
    table(['Probe', 'Measure', 'Before', 'Method', 'After'], rows),
    table(['Probe', 'Measure', 'Least', 'Most', 'From the start to the end'], curves),
    failures(probes),
  );
}

function failures(probes: readonly ProbeDocument[]): string {
  return probes
    .flatMap(({ name, failures: those }) =>
      Object.entries(those).map(([what, times]) => `- ${code(name)}: ${times} × ${code(what)}`),
    )
    .join('\n');
}

function blastRadius(run: RunDocument): string {
  const rows = extents(run).map(({ what, planned, actual, unit, beyond }) => [
    what,
    planned === null ? 'no limit' : inline(valueText(planned, unit)),
    actual === null ? '–' : `${inline(valueText(actual, unit))}${beyond ? ' ✘ beyond the plan' : ''}`,
  ]);
  return section('Blast radius', table(['', 'Planned at most', 'Actual'], rows));
}

function faults({ injections }: RunDocument): string {
  return section(
    'Faults',
    ...injections.map(({ name, fault, action, fromMs, toMs, state, targets, command, uid }) => {
      const until = toMs === null ? '' : ` to ${moment(toMs)}`;
      const what = inline(`${fault} ${action}`);
      const lines = targets.map(({ label, verdict, seen }) => `- ${code(label)}: ${inline(verdict)}, ${inline(seen)}`);
      return [
        `**${inline(name)}** (${what}), ${moment(fromMs)}${until}, ${inline(state)}, ${code(uid)}`,
        ...lines,
        `- by hand: ${code(command)}`,
      ].join('\n');
    }),
  );
}

function deaths({ deaths: those }: RunDocument): string {
  const rows = those.map(({ atMs, name, pid, cause, sentence: story }) => [
    moment(atMs),
    `${code(name)} (PID ${pid})`,
    inline(cause),
    inline(story),
  ]);
  return section('Deaths', table(['When', 'Who', 'Cause', 'Story'], rows));
}

function steps({ steps: those, rollbacks }: RunDocument): string {
  const rows = [
    ...those.map(({ text, fromMs, toMs, outcome, detail }) => ({ text, fromMs, toMs, outcome, detail })),
    ...rollbacks.map(({ text, fromMs, toMs, succeeded, detail }) => ({
      text: `rollback: ${text}`,
      fromMs,
      toMs,
      outcome: succeeded ? 'done' : 'failed',
      detail,
    })),
  ].map(({ text, fromMs, toMs, outcome, detail }) => [
    code(text),
    moment(fromMs),
    toMs === null ? '–' : duration(toMs - fromMs),
    detail === null ? outcome : `${outcome}: ${inline(detail)}`,
  ]);
  return section('Steps', table(['Step', 'Began', 'Took', 'Outcome'], rows));
}

function reproduce(run: RunDocument): string {
  const { experiment, host } = run;
  return section(
    'How to reproduce',
    codeBlock(againCommand(run), 'sh'),
    [
      `- Faultline ${inline(host.faultline)} as ${code(host.user)}`,
      `- ${code(host.name)}, Linux ${inline(host.kernel)}, ${host.cpus} CPUs`,
      `- run ${code(run.uid)}`,
      `- SHA-256 of the file ${code(experiment.sha256)}`,
    ].join('\n'),
    codeBlock(experiment.text, 'yaml'),
  );
}

/** A run as Markdown, for a pull request or a wiki. */
export function markdownReport(run: RunDocument): string {
  const sections = [head, deviations, measurements, blastRadius, faults, deaths, steps, reproduce].map((part) =>
    part(run),
  );
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}
