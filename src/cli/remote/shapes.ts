import type {
  AttackDocument,
  AuditDocument,
  ExaminationDocument,
  HaltDocument,
  InjectionDocument,
  Page,
  PlanDocument,
  RecordDocument,
  RecoveryDocument,
  SweepDocument,
} from '../../api/documents.ts';
import type { ScheduleDocument, ScheduleEndDocument } from '../../api/schedule-documents.ts';
import type { DeathRecord } from '../../forensics/death-record.ts';
import type { Restart } from '../../forensics/watch/restarts.ts';
import { isObject, misshapen } from './answer.ts';

/*
 * What an answer must have so that it can be rendered, and so that nothing in it acts on a terminal: names, words and
 * times are printed as they are. A newer service may tell more.
 */

type Shape = (value: unknown) => boolean;

/** Is it such a document, as far as matters here? */
export type Guard<Document> = (value: unknown) => value is Document;

/**
 * A document that was looked at before it is called one.
 *
 * @param what names it in the error
 * @throws {FaultlineError} SERVER_UNREACHABLE
 */
export function documentOf<Document>(url: string, what: string, is: Guard<Document>, document: unknown): Document {
  if (is(document)) return document;
  throw misshapen(url, what);
}

const text: Shape = (value) => typeof value === 'string';
const number: Shape = (value) => typeof value === 'number';
const flag: Shape = (value) => typeof value === 'boolean';
const word: Shape = (value) => typeof value === 'string' && /^[\w.:-]{1,128}$/.test(value);
const time: Shape = (value) => typeof value === 'string' && /^[\d:.TZ+-]{1,40}$/.test(value);
const facts: Shape = isObject;

const orNull =
  (shape: Shape): Shape =>
  (value) =>
    value === null || shape(value);

const orAbsent =
  (shape: Shape): Shape =>
  (value) =>
    value === undefined || shape(value);

const listOf =
  (shape: Shape): Shape =>
  (value) =>
    Array.isArray(value) && value.every(shape);

function having(fields: Readonly<Record<string, Shape>>): Shape {
  return (value) => isObject(value) && Object.entries(fields).every(([name, shape]) => shape(value[name]));
}

const both =
  (one: Shape, other: Shape): Shape =>
  (value) =>
    one(value) && other(value);

const error = having({ code: word, message: text, hint: orNull(text), details: orAbsent(facts) });
const target = having({ key: text, label: text });
const verdict = having({ target, verdict: word, seen: text, evidence: facts });

const isRecord = having({
  uid: word,
  kind: word,
  action: word,
  state: word,
  status: word,
  verdict: orNull(word),
  createdAt: time,
  leaseMs: orNull(number),
  repeatMs: orNull(number),
  rounds: number,
  spec: facts,
  error: orNull(facts),
  actor: facts,
}) as Guard<RecordDocument>;

const effect = having({ type: word, status: word, target, apply: facts, undo: orNull(facts) });

export const isInjection = both(
  isRecord,
  having({
    targets: listOf(both(verdict, having({ phase: word, round: number }))),
    present: orAbsent(listOf(verdict)),
    deaths: orAbsent(listOf(having({ at: time, pid: number, nsPid: orNull(number), name: text, how: text }))),
    plan: facts,
    effects: listOf(effect),
    timeline: listOf(having({ at: time, bootMs: number, type: word, data: facts })),
  }),
) as Guard<InjectionDocument>;

export const isAttack = both(isInjection, having({ shortfall: orNull(error) })) as Guard<AttackDocument>;

export const isPlan = having({
  kind: word,
  action: word,
  targets: listOf(both(target, having({ does: text, about: facts, doubt: orAbsent(text) }))),
  leftOut: listOf(having({ label: text, rule: word, reason: text })),
  matched: number,
  notes: listOf(text),
  listing: orAbsent(listOf(text)),
}) as Guard<PlanDocument>;

export const isRecovery = having({
  uid: word,
  state: word,
  recovered: flag,
  already: flag,
  repeatMs: orNull(number),
  targets: listOf(verdict),
  shortfall: orNull(error),
}) as Guard<RecoveryDocument>;

export const isSweep = having({
  recovered: listOf(isRecovery),
  failed: listOf(having({ uid: word, code: word, message: text })),
}) as Guard<SweepDocument>;

export const isHalt = having({
  halted: flag,
  reason: orNull(text),
  by: orNull(facts),
  at: orNull(time),
}) as Guard<HaltDocument>;

export const isPage = having({ items: listOf(isRecord), total: number, offset: number }) as Guard<Page<RecordDocument>>;

const schedule = having({
  uid: word,
  kind: word,
  action: word,
  schedule: text,
  durationMs: orNull(number),
  createdAt: time,
  endedAt: orNull(time),
  nextRunAt: orNull(time),
  lastRunAt: orNull(time),
  lastRun: orNull(word),
  runs: number,
  skipped: number,
  failed: number,
  lastError: orNull(facts),
  request: facts,
  actor: facts,
  notes: listOf(text),
});

export const isSchedule = schedule as Guard<ScheduleDocument>;

export const isSchedulePage = having({ items: listOf(schedule), total: number, offset: number }) as Guard<
  Page<ScheduleDocument>
>;

export const isScheduleEnd = having({
  uid: word,
  already: flag,
  recovered: orNull(isRecovery),
}) as Guard<ScheduleEndDocument>;

export const isAudit = having({
  items: listOf(
    having({ at: time, actor: facts, action: text, subject: orNull(text), parameters: facts, result: word }),
  ),
}) as Guard<{ readonly items: readonly AuditDocument[] }>;

export const isHost = having({
  parts: listOf(
    having({
      part: word,
      requirements: listOf(having({ name: text, status: word, detail: text, remedy: orAbsent(text) })),
    }),
  ),
}) as Guard<{ readonly parts: readonly ExaminationDocument[] }>;

const party = having({ pid: number, name: text, uid: orNull(number), cgroup: orNull(text) });
const size = orNull(number);
const marked = having({
  scope: orNull(word),
  limitCgroup: orNull(text),
  anonRssKib: size,
  fileRssKib: size,
  shmemRssKib: size,
  totalVmKib: size,
  oomScoreAdj: size,
});

function isEnd(value: unknown): boolean {
  if (!isObject(value)) return value === null;
  return value['kind'] === 'exited'
    ? number(value['code'])
    : value['kind'] === 'signaled' && number(value['signal']) && flag(value['coreDumped']);
}

/** A death as the service tells it: the record, with a time for people. */
export type DeathDocument = Omit<DeathRecord, 'at'> & { readonly id: number; readonly at: string };

export const isDeath = having({
  id: number,
  at: time,
  bootMs: number,
  pid: number,
  nsPid: orNull(number),
  ppid: orNull(number),
  name: text,
  argv: orNull(listOf(text)),
  uid: orNull(number),
  cgroup: orNull(text),
  container: orNull(text),
  ageMs: orNull(number),
  end: isEnd,
  signal: orNull(having({ number, code: number, beforeMs: number })),
  sender: orNull(party),
  oom: orNull(marked),
  injection: orNull(text),
  source: word,
}) as Guard<DeathDocument>;

export const isRestart = having({
  at: number,
  pid: number,
  name: text,
  died: number,
  afterMs: number,
}) as Guard<Restart>;

export const isDropped = having({ events: number }) as Guard<{ readonly events: number }>;

/** How a service watches, and the last death that it knows. */
export interface DeathsDocument {
  readonly watching: {
    readonly source: DeathRecord['source'];
    readonly cannot: readonly string[];
    readonly refused: readonly { readonly kind: DeathRecord['source']; readonly why: string }[];
  } | null;
  readonly items: readonly { readonly id: number }[];
}

export const isDeaths = having({
  watching: orNull(having({ source: word, cannot: listOf(text), refused: listOf(having({ kind: word, why: text })) })),
  items: listOf(having({ id: number })),
}) as Guard<DeathsDocument>;
