import { type Json, type JsonObject, toJson } from '../base/json.ts';
import type { InjectionState, Verdict } from '../base/lifecycle.ts';
import { FaultlineError } from '../base/error.ts';
import { type ErrorCode, errorCodes } from '../base/error-codes.ts';
import type { AuditRecord, HaltRecord, InjectionRecord } from '../experiment/engine.ts';
import type { Examination } from '../experiment/doctor.ts';
import type { Sweep } from '../experiment/halt.ts';
import type { Injection } from '../experiment/injection.ts';
import type { Recovery } from '../experiment/recovery.ts';
import { attackShortfall, recoveryShortfall } from '../experiment/shortfall.ts';
import type { DeathRecord } from '../forensics/death-record.ts';
import { endWithCause } from '../forensics/death-text.ts';
import type { Effect, Plan, TargetVerdict } from '../faults/fault.ts';
import { type ChaosdStatus, chaosdStatus } from './chaosd-status.ts';

/*
 * What the front doors give out: `-o json` prints these documents, the HTTP API answers with them, and a command that
 * acts through a service reads them back. All of it survives JSON unchanged. Times named `…At` are ISO 8601.
 */

/** An error as all front doors carry it. */
export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly details?: JsonObject;
}

/** One injection without its parts, as lists have it; its recover command is told only to exist. */
export interface RecordDocument {
  readonly uid: string;
  readonly kind: string;
  readonly action: string;
  readonly state: InjectionState;
  /** chaosd's word for the state. */
  readonly status: ChaosdStatus;
  readonly verdict: Verdict | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly leaseMs: number | null;
  readonly repeatMs: number | null;
  readonly rounds: number;
  /** The uid of the schedule that it is a run of. */
  readonly schedule: string | null;
  readonly spec: JsonObject;
  readonly error: JsonObject | null;
  readonly actor: JsonObject;
}

export interface EventDocument {
  readonly at: string;
  readonly bootMs: number;
  readonly type: string;
  readonly data: JsonObject;
}

export interface VerdictDocument extends TargetVerdict {
  readonly phase: 'inject' | 'recover';
  readonly round: number;
}

/** The death of a process that an injection has caused, as a service has watched it. */
export interface CausedDeathDocument {
  readonly at: string;
  readonly pid: number;
  /** As its own PID namespace saw it; null where that was the host's. */
  readonly nsPid: number | null;
  readonly name: string;
  /** `died of SIGKILL, sent by pid 99 (node) of root` */
  readonly how: string;
  /** What has seen it. */
  readonly source: DeathRecord['source'];
}

/** One injection with everything that is known of it. */
export interface InjectionDocument extends RecordDocument {
  readonly targets: readonly VerdictDocument[];
  /** What the targets are now; only where it was looked. */
  readonly present?: readonly TargetVerdict[];
  /** Deaths that it has caused, the first first, as far as they were watched; only where it was looked. */
  readonly deaths?: readonly CausedDeathDocument[];
  readonly plan: JsonObject;
  readonly effects: readonly Effect[];
  readonly timeline: readonly EventDocument[];
}

/** What an attack came to. */
export interface AttackDocument extends InjectionDocument {
  /** What the result lacks of what was asked for. */
  readonly shortfall: ErrorDocument | null;
}

export interface PlanDocument extends Plan {
  readonly dryRun: true;
}

export interface RecoveryDocument {
  readonly uid: string;
  readonly state: InjectionState;
  /** It is undone; also where it was still being injected, which has broken it off: then its state is `failed`. */
  readonly recovered: boolean;
  /** It was over before: nothing was done. */
  readonly already: boolean;
  readonly repeatMs: number | null;
  readonly targets: readonly TargetVerdict[];
  readonly error: JsonObject | null;
  readonly shortfall: ErrorDocument | null;
}

/** What became of every live injection. */
export interface SweepDocument {
  readonly recovered: readonly RecoveryDocument[];
  readonly failed: readonly { readonly uid: string; readonly code: string; readonly message: string }[];
}

export interface HaltDocument {
  readonly halted: boolean;
  readonly reason: string | null;
  readonly by: JsonObject | null;
  readonly at: string | null;
}

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** How many there are on all pages together. */
  readonly total: number;
  readonly offset: number;
}

export interface AuditDocument extends Omit<AuditRecord, 'at'> {
  readonly at: string;
}

export type ExaminationDocument = Examination;

const iso = (at: number): string => new Date(at).toISOString();

/** A recover command may hold a password: lists say that there is one, the injection itself says which. */
export function withoutSecrets(spec: JsonObject): JsonObject {
  return typeof spec['recoverCmd'] === 'string' ? { ...spec, recoverCmd: '(given)' } : spec;
}

/** An error as a document. One that nobody expected tells its message, and no stack. */
export function errorDocument(error: FaultlineError): ErrorDocument {
  const { code, message, hint, details } = error;
  const facts = details === undefined ? {} : { details: toJson(details) as JsonObject };
  return { code, message, hint: hint ?? null, ...facts };
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

/**
 * {@link errorDocument} backwards. A code that only a newer Faultline knows becomes UNEXPECTED, and is told beside the
 * sentence.
 */
export function errorOf({ code, message, hint, details }: ErrorDocument): FaultlineError {
  const extras = { ...(hint === null ? {} : { hint }), ...(details === undefined ? {} : { details }) };
  return isErrorCode(code)
    ? new FaultlineError(code, message, extras)
    : new FaultlineError('UNEXPECTED', `${message} (${code})`, extras);
}

export function recordDocument(record: InjectionRecord): RecordDocument {
  return {
    uid: record.uid,
    kind: record.kind,
    action: record.action,
    state: record.state,
    status: chaosdStatus(record.state),
    verdict: record.verdict,
    createdAt: iso(record.createdAt),
    updatedAt: iso(record.updatedAt),
    leaseMs: record.leaseMs,
    repeatMs: record.repeatMs,
    rounds: record.rounds,
    schedule: record.schedule,
    spec: withoutSecrets(record.spec),
    error: record.error,
    actor: record.actor,
  };
}

/** The journal's own number of the injection stays with the journal. */
function effectDocument(effect: Effect): Effect {
  const { id, round, type, target, apply, undo, hold, status, outcome, intendedBootMs, settledBootMs } = effect;
  return { id, round, type, target, apply, undo, hold, status, outcome, intendedBootMs, settledBootMs };
}

/** Without its command line, which is not for everybody who may see injections. */
function causedDeathDocument(record: DeathRecord): CausedDeathDocument {
  const { at, pid, nsPid, name, source } = record;
  return { at: iso(at), pid, nsPid, name, how: endWithCause(record), source };
}

/** What is known of an injection beside the journal's own. */
export interface Looked {
  readonly present: readonly TargetVerdict[];
  readonly deaths: readonly DeathRecord[];
}

export function injectionDocument(injection: Injection, looked?: Looked): InjectionDocument {
  const { record, verdicts, effects, timeline } = injection;
  return {
    ...recordDocument(record),
    spec: record.spec,
    targets: verdicts,
    ...(looked === undefined ? {} : { present: looked.present, deaths: looked.deaths.map(causedDeathDocument) }),
    plan: record.plan,
    effects: effects.map(effectDocument),
    timeline: timeline.map(({ at, bootMs, type, data }) => ({ at: iso(at), bootMs, type, data })),
  };
}

/** Of an injection what lists have of it. */
export function recordOf(injection: InjectionDocument): RecordDocument {
  const {
    targets: _targets,
    present: _present,
    deaths: _deaths,
    plan: _plan,
    effects: _effects,
    timeline: _timeline,
    ...record
  } = injection;
  return { ...record, spec: withoutSecrets(record.spec) };
}

function shortfallDocument(error: FaultlineError | undefined): ErrorDocument | null {
  return error === undefined ? null : errorDocument(error);
}

export function attackDocument(injection: Injection): AttackDocument {
  return { ...injectionDocument(injection), shortfall: shortfallDocument(attackShortfall(injection)) };
}

export function planDocument(plan: Plan): PlanDocument {
  return { dryRun: true, ...plan };
}

export function recoveryDocument(recovery: Recovery): RecoveryDocument {
  const { record, already, stopped, verdicts } = recovery;
  return {
    uid: record.uid,
    state: record.state,
    recovered: record.state === 'recovered' || stopped === true,
    already,
    repeatMs: record.repeatMs,
    targets: verdicts,
    error: record.error,
    shortfall: shortfallDocument(recoveryShortfall(recovery)),
  };
}

export function sweepDocument({ recovered, failed }: Sweep): SweepDocument {
  return {
    recovered: recovered.map(recoveryDocument),
    failed: failed.map(({ uid, error }) => ({ uid, code: error.code, message: error.message })),
  };
}

export function haltDocument(halt: HaltRecord | undefined): HaltDocument {
  return {
    halted: halt !== undefined,
    reason: halt?.reason ?? null,
    by: halt?.actor ?? null,
    at: halt === undefined ? null : iso(halt.at),
  };
}

export function auditDocument(record: AuditRecord): AuditDocument {
  return { ...record, at: iso(record.at) };
}

/** A document as the plain data that it is. */
export function plain(document: object): Json {
  return toJson(document);
}
