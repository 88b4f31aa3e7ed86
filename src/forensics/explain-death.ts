import { type JsonObject, textOf, toJson } from '../base/json.ts';
import { formatDuration } from '../base/duration.ts';
import { signalName } from '../linux/signals.ts';
import { type Answer, answer, type AnswerTable, type Cause, newestFirst } from './answer.ts';
import { explainCode } from './codes/explain-code.ts';
import type { DeathRecord } from './death-record.ts';
import { endText, oomText, senderText, whoText } from './death-text.ts';
import type { Deed } from './deed.ts';

/** Everything that was found out about one who died. */
export interface Evidence {
  readonly deeds: readonly Deed[];
  readonly records: readonly DeathRecord[];
  /** What other sources say themselves: the kernel log, core dumps, containers, cgroups. */
  readonly causes: readonly Cause[];
  /** Does he live, or another of that name or number? A phrase: `pid 12 (nginx) is alive`. */
  readonly alive: string | null;
  /** When whoever has that PID now was born, wall-clock ms since 1970; null where nobody has, or a name was asked. */
  readonly bornAt: number | null;
  readonly tables: readonly AnswerTable[];
  /** What could not be asked: phrases. */
  readonly lacking: readonly string[];
  readonly notes: readonly string[];
  readonly facts: JsonObject;
}

const isoTime = (at: number): string => new Date(at).toISOString();

function doer({ user, uid, sudoUser, via }: JsonObject): string {
  const name = user ?? uid;
  const who = typeof sudoUser === 'string' ? `${sudoUser} as ${textOf(name)}` : textOf(name);
  return `${who} (${textOf(via)})`;
}

function deedCause({ injection, attack, at, endedAt, actor, label, signal, oom, ended, seen }: Deed): Cause {
  const sent = signal === null ? 'acted on it' : `sent it ${signalName(signal) ?? `signal ${signal}`}`;
  const what = oom ? 'had the OOM killer kill it' : sent;
  return {
    id: 'injection',
    likelihood: ended ? 'certain' : 'possible',
    title: `it was Faultline: injection ${injection} (${attack}) ${what}`,
    at: endedAt ?? at,
    evidence: [`${label}${seen === null ? '' : `: ${seen}`}`, `asked for by ${doer(actor)} at ${isoTime(at)}`],
    next: [`faultline show ${injection}`],
  };
}

function recordCause(record: DeathRecord): Cause {
  const { at, end, sender, injection, argv, ageMs, cgroup, container, source, oom } = record;
  const sent = senderText(record);
  const age = ageMs === null ? '' : `, ${formatDuration(ageMs)} old`;
  const explained =
    end === null
      ? undefined
      : explainCode(
          '',
          end.kind === 'exited' ? { kind: 'exit-code', code: end.code } : { kind: 'signal', signal: end.signal },
        );
  const known = sender !== null || injection !== null;
  const ours = injection === null ? '' : `it was Faultline: injection ${injection}: `;
  return {
    id: injection !== null ? 'injection' : oom !== null ? 'oom-killer' : 'watched',
    likelihood: 'certain',
    at,
    title: `${ours}${whoText(record)} ${endText(record)}${sent === undefined || oom !== null ? '' : `, ${sent}`}`,
    evidence: [
      `watched by ${source} at ${isoTime(at)}${age}`,
      ...(argv === null || argv.length === 0 ? [] : [`command line: ${argv.join(' ').trimEnd()}`]),
      ...(cgroup === null ? [] : [`cgroup: ${cgroup}`]),
      ...(container === null ? [] : [`container: ${container}`]),
      ...(oom === null || oomText(oom) === '' ? [] : [oomText(oom)]),
    ],
    next: injection !== null ? [`faultline show ${injection}`] : known ? [] : (explained?.causes[0]?.next ?? []),
  };
}

/** Clocks of different witnesses, and ticks of the kernel's, differ by as much, in milliseconds. */
const slackMs = 2_000;

/** Did it happen before the process was born that has the number now, or had it last? */
function isEarlier({ at }: Cause, bornAt: number | null): boolean {
  return at !== undefined && bornAt !== null && at < bornAt - slackMs;
}

/** Numbers are given out again: what befell an earlier process of that number is said to be so. */
function toldApart(causes: readonly Cause[], bornAt: number | null): readonly Cause[] {
  return newestFirst(causes).map((cause) =>
    isEarlier(cause, bornAt)
      ? { ...cause, evidence: ['it was an earlier process with this PID', ...cause.evidence] }
      : cause,
  );
}

/** When the last one was born that is known to have had the number. */
function lastBirth({ records, bornAt }: Evidence, isPid: boolean): number | null {
  const [last] = records;
  if (bornAt !== null || !isPid) return bornAt;
  return last === undefined || last.ageMs === null ? null : last.at - last.ageMs;
}

function summaryOf(about: string, [first, ...more]: readonly Cause[], { alive, bornAt }: Evidence): string {
  if (first === undefined) {
    return alive === null ? `nothing is known of a death of ${about}` : `${alive}: nothing is known of a death`;
  }
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
  if (alive !== null && isEarlier(first, bornAt)) {
    return `${alive}; an earlier process had this PID: ${first.title}${others}`;
  }
  return `${first.title}${others}${alive === null ? '' : `; ${alive}`}`;
}

/**
 * Why somebody died, from all that was found.
 *
 * @param about how he is called: `pid 4123`, `nginx`
 * @param isPid he is known by his PID, which others may have had before
 */
export function explainDeath(question: string, about: string, evidence: Evidence, isPid = false): Answer {
  const { deeds, records, lacking, notes, facts, tables } = evidence;
  // What the watch tied to an injection need not be told twice.
  const tied = new Set(records.map(({ injection }) => injection));
  const ours = deeds.filter(({ injection }) => !tied.has(injection));
  const all = [...ours.map(deedCause), ...records.map(recordCause), ...evidence.causes];
  const silent = lacking.length === 0 ? [] : [`not asked: ${lacking.join('; ')}`];
  const told = answer({
    question,
    summary: '',
    causes: toldApart(all, lastBirth(evidence, isPid)),
    notes: [...notes, ...silent],
    tables,
    facts: { ...facts, deeds: toJson(deeds), records: toJson(records) },
  });
  return { ...told, summary: summaryOf(about, told.causes, evidence) };
}
