import { type JsonObject, textOf, toJson } from '../base/json.ts';
import { formatDuration } from '../base/duration.ts';
import { signalName } from '../linux/signals.ts';
import { type Answer, answer, type Cause } from './answer.ts';
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

function deedCause({ injection, attack, at, actor, label, signal, oom, ended, seen }: Deed): Cause {
  const sent = signal === null ? 'acted on it' : `sent it ${signalName(signal) ?? `signal ${signal}`}`;
  const what = oom ? 'had the OOM killer kill it' : sent;
  return {
    id: 'injection',
    likelihood: ended ? 'certain' : 'possible',
    title: `it was Faultline: injection ${injection} (${attack}) ${what}`,
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
    title: `${ours}${whoText(record)} ${endText(record)}${sent === undefined || oom !== null ? '' : `, ${sent}`}`,
    evidence: [
      `watched by ${source} at ${isoTime(at)}${age}`,
      ...(argv === null || argv.length === 0 ? [] : [`command line: ${argv.join(' ')}`]),
      ...(cgroup === null ? [] : [`cgroup: ${cgroup}`]),
      ...(container === null ? [] : [`container: ${container}`]),
      ...(oom === null || oomText(oom) === '' ? [] : [oomText(oom)]),
    ],
    next: injection !== null ? [`faultline show ${injection}`] : known ? [] : (explained?.causes[0]?.next ?? []),
  };
}

function summaryOf(about: string, causes: readonly Cause[], alive: string | null): string {
  const [first] = causes;
  if (alive !== null && first === undefined) return `${alive}: nothing is known of a death`;
  if (first === undefined) return `nothing is known of a death of ${about}`;
  const also = alive === null ? '' : `; ${alive}`;
  const more = causes.length === 1 ? '' : ` (and ${causes.length - 1} more)`;
  return `${first.title}${more}${also}`;
}

/**
 * Why somebody died, from all that was found.
 *
 * @param about how he is called: `pid 4123`, `nginx`
 */
export function explainDeath(question: string, about: string, evidence: Evidence): Answer {
  const { deeds, records, alive, lacking, notes, facts } = evidence;
  // What the watch tied to an injection need not be told twice.
  const tied = new Set(records.map(({ injection }) => injection));
  const ours = deeds.filter(({ injection }) => !tied.has(injection));
  const causes = [...ours.map(deedCause), ...records.map(recordCause), ...evidence.causes];
  const silent = lacking.length === 0 ? [] : [`not asked: ${lacking.join('; ')}`];
  return answer({
    question,
    summary: summaryOf(about, causes, alive),
    causes,
    notes: [...notes, ...silent],
    facts: { ...facts, deeds: toJson(deeds), records: toJson(records) },
  });
}
