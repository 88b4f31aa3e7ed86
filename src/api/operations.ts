import type { InjectionState } from '../base/lifecycle.ts';
import type { AttackRequest } from '../experiment/request.ts';
import type { ScheduleRequest } from '../experiment/schedule/request.ts';
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
} from './documents.ts';
import type { ScheduleDocument, ScheduleEndDocument } from './schedule-documents.ts';

export interface ListFilter {
  readonly states?: readonly InjectionState[];
  readonly kind?: string;
  /** Runs of this schedule only. */
  readonly schedule?: string;
  /** The oldest first; by default the newest. */
  readonly ascending?: boolean;
  readonly offset?: number;
  /** No limit when absent. */
  readonly limit?: number;
}

export interface ScheduleListFilter {
  /** Only those that have ended, or only those that have not. */
  readonly ended?: boolean;
  readonly offset?: number;
  /** No limit when absent. */
  readonly limit?: number;
}

/**
 * What can be asked of Faultline, in the words that go over a wire. There are two ways to it with the same answers: the
 * engine in this process, and a service.
 *
 * Every method throws `FaultlineError` for what is refused or fails. What was done but lacks something of what was
 * asked for is told by the document's `shortfall`.
 */
export interface Operations {
  /** Exactly what an attack would touch; changes nothing. */
  plan(request: AttackRequest): Promise<PlanDocument>;
  attack(request: AttackRequest): Promise<AttackDocument>;
  recover(uid: string, abandon: boolean): Promise<RecoveryDocument>;
  recoverAll(abandon: boolean): Promise<SweepDocument>;
  /** Undo everything and hold off new attacks. */
  halt(reason: string): Promise<SweepDocument>;
  /** @returns the halt that was latched; `halted` is false where none was */
  releaseHalt(): Promise<HaltDocument>;
  halted(): Promise<HaltDocument>;
  /** With what its targets are now. */
  find(uid: string): Promise<InjectionDocument>;
  list(filter: ListFilter): Promise<Page<RecordDocument>>;
  /** Attack again and again. Asked for once more in the same words, it is told what it is by now. */
  addSchedule(request: ScheduleRequest): Promise<ScheduleDocument>;
  /** The newest first. */
  schedules(filter: ScheduleListFilter): Promise<Page<ScheduleDocument>>;
  findSchedule(uid: string): Promise<ScheduleDocument>;
  /** End a schedule for good, then undo its live run. */
  endSchedule(uid: string): Promise<ScheduleEndDocument>;
  /** The newest entries, newest first. */
  audit(limit: number): Promise<readonly AuditDocument[]>;
  /** What the host supports, part by part. */
  examine(): Promise<readonly ExaminationDocument[]>;
}
