import { type JsonObject, toJson } from '../base/json.ts';
import { count } from '../base/text.ts';
import { commOfName } from '../targets/name-match.ts';
import { type Answer, answer, type Cause } from './answer.ts';
import { explainCode } from './codes/explain-code.ts';
import { type GivenCode, signalOf } from './codes/parse-code.ts';
import { signalFacts } from './codes/signal-facts.ts';
import { explainOom } from './explain-oom.ts';
import type { ToldEnd } from './kernel-log/application-line.ts';
import { timeText, wallMs } from './kernel-log/envelope.ts';
import type { OomReport } from './kernel-log/oom-report.ts';
import type { Finding, LogPlace } from './kernel-log/scan.ts';

/** Whom a question is about, or what he ended with; without it everything in the log. */
export type Subject = { readonly pid: number } | { readonly name: string } | { readonly ended: GivenCode };

const SIGKILL = 9;

type CrashFinding = Extract<Finding, { readonly kind: 'crash' }>;
type EndFinding = Extract<Finding, { readonly kind: 'end' }>;

const isCalled = (name: string, wanted: string): boolean => name === wanted || name === commOfName(wanted);

/** Would whoever died there have ended so? */
function endsSo(finding: Finding, ended: GivenCode): boolean {
  const signal = signalOf(ended);
  if (finding.kind === 'oom') return signal === SIGKILL;
  if (finding.kind === 'crash') return signal !== null && finding.crash.signal === signal;
  const given = givenBy(finding.end);
  if (given === undefined) return false;
  return signal === null ? JSON.stringify(given) === JSON.stringify(ended) : signalOf(given) === signal;
}

/** Was it the one that is asked for who died there? */
function isAbout(finding: Finding, subject: Subject): boolean {
  if ('ended' in subject) return endsSo(finding, subject.ended);
  const died = diedIn(finding);
  if ('pid' in subject) return died.some(({ pid }) => pid === subject.pid);
  return died.some(({ name }) => name !== null && isCalled(name, subject.name));
}

function diedIn(finding: Finding): readonly { readonly pid: number | null; readonly name: string | null }[] {
  if (finding.kind === 'crash') return [finding.crash];
  if (finding.kind === 'end') return [finding.end];
  const { victims, supposed } = finding.report;
  return victims.length > 0 ? victims : supposed === null ? [] : [supposed];
}

function crashCause({ crash, place }: CrashFinding): Cause {
  const { pid, name, signal, what, where } = crash;
  const told = timeText(place.time);
  const at = wallMs(place.time);
  const facts = signal === null ? undefined : signalFacts(signal);
  const inFile = where === null ? '' : ` in ${where}`;
  return {
    id: signal === null ? 'hung-task' : 'own-fault',
    likelihood: 'certain',
    title: `pid ${pid} (${name}): ${what}${inFile}${facts === undefined ? '' : ` → ${facts.name}`}`,
    ...(at === undefined ? {} : { at }),
    evidence: [`the kernel log says so${told === '' ? '' : `, ${told}`}`],
    next: facts?.next ?? ['what it waits for: /proc/PID/stack, and the lines that follow in the kernel log'],
  };
}

function givenBy({ exitCode, signal }: ToldEnd): GivenCode | undefined {
  if (signal !== null) return { kind: 'signal', signal };
  return exitCode === null ? undefined : { kind: 'exit-code', code: exitCode };
}

interface Told {
  readonly given: GivenCode;
  readonly first: EndFinding;
  times: number;
  restarts: boolean;
  oom: boolean;
}

/** Ends that are told in the same way, by the same program, once. */
function gathered(ends: readonly EndFinding[]): readonly Told[] {
  const told = new Map<string, Told>();
  for (const finding of ends) {
    const given = givenBy(finding.end);
    if (given === undefined) continue;
    const key = `${JSON.stringify(given)} ${finding.end.name ?? ''}`;
    const known = told.get(key);
    if (known === undefined) {
      told.set(key, { given, first: finding, times: 1, restarts: finding.end.restarts, oom: finding.end.oom });
    } else {
      known.times += 1;
      known.restarts ||= finding.end.restarts;
      known.oom ||= finding.end.oom;
    }
  }
  return [...told.values()];
}

function quoted({ line, time }: LogPlace): string {
  const at = timeText(time);
  const text = line.length > 100 ? `${line.slice(0, 99)}…` : line;
  return `${at === '' ? '' : `${at}: `}"${text}"`;
}

/** Does a kill of the OOM killer stand in the same log? Then it is the likelier half of 137. */
function weighed(causes: readonly Cause[], reports: readonly OomReport[], oom: boolean): readonly Cause[] {
  if (!oom && reports.length === 0) return causes;
  return causes.map((cause) =>
    cause.id === 'oom-killer'
      ? {
          ...cause,
          likelihood: oom ? 'certain' : 'likely',
          evidence: [
            oom ? 'the log says so itself' : 'the log has a kill of the OOM killer, see above',
            ...cause.evidence,
          ],
        }
      : cause,
  );
}

function endAnswer(told: Told, reports: readonly OomReport[]): Answer {
  const { given, first, times, restarts } = told;
  const explained = explainCode('', given);
  const [most, ...others] = weighed(explained.causes, reports, told.oom);
  const name = first.end.name === null ? '' : `${first.end.name}: `;
  const says = `the log says ${times === 1 ? '' : `${times} times, first `}${quoted(first.place)}`;
  const causes = most === undefined ? [] : [{ ...most, evidence: [says, ...most.evidence] }, ...others];
  return answer({
    ...explained,
    summary: `${name}${explained.summary}`,
    causes,
    notes: restarts ? ['it is restarted each time: what keeps ending it is still there'] : [],
  });
}

function tally(oom: number, crashes: number, ends: number): string {
  const parts = [
    oom === 0 ? [] : [count(oom, 'visit of the OOM killer', 'visits of the OOM killer')],
    crashes === 0 ? [] : [count(crashes, 'fault or hang', 'faults or hangs')],
    ends === 0 ? [] : [count(ends, 'kind of end told by programs', 'kinds of end told by programs')],
  ].flat();
  return parts.join(', ');
}

function factsOf(reports: readonly Answer[], crashes: readonly CrashFinding[], told: readonly Told[]): JsonObject {
  const ends = told.map(({ given, first, times }) => ({ given, times, ...first.place, end: first.end }));
  return toJson({
    oom: reports.map(({ facts }) => facts),
    crashes: crashes.map(({ crash, place }) => ({ ...crash, ...place })),
    ends,
  }) as JsonObject;
}

export interface LogAnswer extends Answer {
  /** How many of the findings it is about. */
  readonly considered: number;
}

/**
 * What a log tells of deaths.
 *
 * @param subject whom it is asked about; without it everything that is there counts
 * @returns an answer without causes when the log tells of none
 */
export function explainLog(question: string, findings: readonly Finding[], subject?: Subject): LogAnswer {
  const wanted = subject === undefined ? findings : findings.filter((finding) => isAbout(finding, subject));
  // What happened last is what is asked about, mostly.
  const reports = wanted.flatMap((finding) => (finding.kind === 'oom' ? [finding.report] : [])).toReversed();
  const crashes = wanted.filter((finding) => finding.kind === 'crash').toReversed();
  const ends = gathered(wanted.filter((finding) => finding.kind === 'end'));
  const ooms = reports.map((report) => explainOom(question, report));
  const endings = ends.map((one) => endAnswer(one, reports));
  const answers = [...ooms, ...endings];
  const causes = [
    ...ooms.flatMap((one) => one.causes),
    ...crashes.map(crashCause),
    ...endings.flatMap((one) => one.causes),
  ];
  const [only] = answers;
  const single = answers.length === 1 && crashes.length === 0 ? only : undefined;
  const crash = crashes.length === 1 && answers.length === 0 ? causes[0] : undefined;
  const told = answer({
    question,
    summary: single?.summary ?? crash?.title ?? tally(ooms.length, crashes.length, ends.length),
    causes,
    notes: [...new Set(answers.flatMap(({ notes }) => notes))],
    tables: ooms.slice(0, 1).flatMap(({ tables = [] }) => tables),
    facts: factsOf(ooms, crashes, ends),
  });
  return { ...told, considered: wanted.length };
}
