import { existsSync } from 'node:fs';
import type { FaultlineError } from '../base/error.ts';
import type { JsonObject } from '../base/json.ts';
import { isLive } from '../base/lifecycle.ts';
import type { Plan, TargetVerdict } from '../faults/fault.ts';
import type { DeathQuery } from '../store/deaths.ts';
import { type AuditRecord, listAudit } from '../store/audit.ts';
import {
  countInjections,
  findInjection,
  type InjectionFilter,
  type InjectionRecord,
  listInjections,
} from '../store/injections.ts';
import { type HaltRecord, readHalt, type ServerRecord } from '../store/latches.ts';
import { countSchedules, type ScheduleFilter } from '../store/schedules.ts';
import { refuseConflicts, refuseHalted } from './admission.ts';
import { attack, prepareAttack } from './attack.ts';
import { attackOnce, settled } from './attack-once.ts';
import { audited, writeAudit } from './audit.ts';
import { type EngineContext, type EngineOptions, openContext } from './context.ts';
import type { DeathRecord } from '../forensics/death-record.ts';
import {
  attributeDeaths,
  deathsOf,
  type KeptDeath,
  keptDeaths,
  type OnRecord,
  recordDeaths,
  type Whom,
} from './deaths.ts';
import { type Examination, examine } from './doctor.ts';
import { halt, recoverAll, releaseHalt, type Sweep } from './halt.ts';
import { type Injection, readInjection } from './injection.ts';
import { keep } from './keeper.ts';
import { notFound, type Recovery, recoverInjection } from './recovery.ts';
import type { AttackRequest } from './request.ts';
import { addSchedule } from './schedule/add.ts';
import { endSchedule, type ScheduleEnd } from './schedule/end.ts';
import type { ScheduleRequest } from './schedule/request.ts';
import { runSchedules, type ScheduleRunner, type ScheduleRunnerOptions } from './schedule/run.ts';
import { readSchedule, readSchedules, requireSchedule, type Schedule } from './schedule/schedule.ts';
import { enterService, leaveService, runningService } from './service.ts';
import { recoveryShortfall } from './shortfall.ts';
import type { Repair } from './repair.ts';
import { type Runs, runsOver } from './runs.ts';
import { supervise } from './supervise.ts';
import type { JournalTail } from './tail.ts';
import { readTally, type Tally } from './tally.ts';

export type { AuditRecord } from '../store/audit.ts';
export type { InjectionFilter, InjectionRecord } from '../store/injections.ts';
export type { HaltRecord, ServerRecord } from '../store/latches.ts';
export type { RunRecord } from '../store/runs.ts';
export type { ScheduleFilter, ScheduleRecord } from '../store/schedules.ts';

/** The one engine behind every front door. */
export interface Engine {
  readonly stateDir: string;
  /** Exactly what an attack would touch; changes nothing. */
  plan(request: AttackRequest): Promise<Plan>;
  attack(request: AttackRequest): Promise<Injection>;
  /** The same, but a request whose uid was asked for before is told what came of it. */
  attackOnce(request: AttackRequest): Promise<Injection>;
  /** Resolves when this process is at work on no attack of this uid. */
  settled(uid: string): Promise<void>;
  recover(uid: string, abandon: boolean): Promise<Recovery>;
  recoverAll(abandon: boolean): Promise<Sweep>;
  halt(reason: string): Promise<Sweep>;
  releaseHalt(): Promise<HaltRecord | undefined>;
  halted(): HaltRecord | undefined;
  /** @throws {FaultlineError} INJECTION_NOT_FOUND */
  find(uid: string): Injection;
  list(filter: InjectionFilter): readonly InjectionRecord[];
  /** How many there are on all pages together. */
  count(filter: InjectionFilter): number;
  /** What the targets of an injection are now. */
  observe(injection: Injection): Promise<readonly TargetVerdict[]>;
  audit(limit: number): readonly AuditRecord[];
  /** Write down that somebody was not let in, and what was asked for. */
  auditRefusal(asked: JsonObject, error: FaultlineError): Promise<void>;
  /** What this host supports, part by part. */
  examine(): Promise<readonly Examination[]>;
  /** Undo what was left behind, but for these; every command does so before its own work. */
  supervise(except?: ReadonlySet<string>): Promise<readonly Repair[]>;
  /** The end of the timeline, for whoever follows it. */
  readonly tail: JournalTail;
  /** The journal in figures. */
  tally(): Tally;
  /** The same engine on behalf of somebody else, for the audit log. It is closed with this one. */
  actingAs(actor: JsonObject): Engine;
  /** The same engine, whose attacks are also broken off and undone once this signal is aborted. */
  interruptedBy(signal: AbortSignal): Engine;
  /** Runs of experiments. */
  readonly runs: Runs;
  /**
   * Become the one service of this state folder.
   *
   * @returns what could not be written down, if so
   * @throws {FaultlineError} SERVER_RUNNING
   */
  enterService(address: string): Promise<FaultlineError | undefined>;
  leaveService(): Promise<void>;
  /** The service that runs on this state folder, in this process or another. */
  service(): ServerRecord | undefined;
  /** Attack again and again; see `addSchedule`. */
  addSchedule(request: ScheduleRequest): Promise<Schedule>;
  /** The newest first. */
  schedules(filter: ScheduleFilter): Promise<readonly Schedule[]>;
  countSchedules(filter: ScheduleFilter): number;
  /** @throws {FaultlineError} SCHEDULE_NOT_FOUND */
  findSchedule(uid: string): Promise<Schedule>;
  /** End a schedule for good, then undo its live run. */
  endSchedule(uid: string): Promise<ScheduleEnd>;
  /** Carry out what schedules ask for, until it is stopped. For the service alone. */
  runSchedules(options: ScheduleRunnerOptions): ScheduleRunner;
  /** What is on record of somebody's death, and what injections did to him; the newest first. */
  deathsOf(who: Whom): OnRecord;
  /** What is kept of deaths, the newest first, or those after one of them, the oldest first. */
  deaths(query: DeathQuery, limit: number): readonly KeptDeath[];
  /** The same deaths, and to those that injections have caused their uid. */
  attributeDeaths(deaths: readonly DeathRecord[]): readonly DeathRecord[];
  /** Keep what was seen of deaths. For whoever watches. */
  recordDeaths(deaths: readonly DeathRecord[]): Promise<void>;
  /** Be the keeper of this state folder until no lease is left. */
  keep(onError: (error: unknown) => void): Promise<void>;
  close(): void;
}

function recover(context: EngineContext, uid: string, abandon: boolean): Promise<Recovery> {
  const action = { action: 'recover', subject: uid, parameters: { abandon } };
  return audited(
    context,
    action,
    () => recoverInjection(context, uid, { reason: 'asked', abandon, insist: true }),
    recoveryShortfall,
  );
}

/** The plan, refused as the attack itself would be; a journal that is not there yet holds nothing against it. */
async function plan(context: EngineContext, request: AttackRequest): Promise<Plan> {
  const prepared = await prepareAttack(context, request, true);
  if (existsSync(context.store.file)) {
    refuseHalted(context);
    if (!request.allowOverlap) refuseConflicts(context, prepared.plan, -1);
  }
  return prepared.plan;
}

function find(context: EngineContext, uid: string): Injection {
  const record = findInjection(context.store, uid);
  if (record === undefined) throw notFound(context.store, uid);
  return readInjection(context, record);
}

function schedulesOver(context: EngineContext) {
  return {
    addSchedule: (request: ScheduleRequest) => addSchedule(context, request),
    schedules: (filter: ScheduleFilter) => readSchedules(context, filter),
    countSchedules: (filter: ScheduleFilter) => countSchedules(context.store, filter),
    findSchedule: async (uid: string) => readSchedule(context, requireSchedule(context, uid)),
    endSchedule: (uid: string) => endSchedule(context, uid),
    runSchedules: (options: ScheduleRunnerOptions) => runSchedules(context, options),
  };
}

function engineOver(context: EngineContext): Engine {
  return Object.freeze({
    stateDir: context.stateDir,
    plan: (request: AttackRequest) => plan(context, request),
    attack: (request: AttackRequest) => attack(context, request),
    attackOnce: (request: AttackRequest) => attackOnce(context, request),
    settled: (uid: string) => settled(context, uid),
    recover: (uid: string, abandon: boolean) => recover(context, uid, abandon),
    recoverAll: (abandon: boolean) =>
      audited(context, { action: 'recover', subject: null, parameters: { all: true, abandon } }, () =>
        recoverAll(context, { reason: 'asked for all', abandon }),
      ),
    halt: (reason: string) => halt(context, reason),
    releaseHalt: () => releaseHalt(context),
    halted: () => readHalt(context.store),
    find: (uid: string) => find(context, uid),
    list: (filter: InjectionFilter) => listInjections(context.store, filter),
    count: (filter: InjectionFilter) => countInjections(context.store, filter),
    observe: async ({ record, effects }: Injection) => {
      const fault = await context.descriptorOf(record.kind).load();
      return isLive(record.state) || record.bootId === context.host.bootId ? fault.observe(effects, context) : [];
    },
    audit: (limit: number) => listAudit(context.store, limit),
    auditRefusal: (asked: JsonObject, error: FaultlineError) =>
      writeAudit(context, { action: 'request', subject: null, parameters: asked }, error),
    examine: () => examine(context),
    supervise: (except?: ReadonlySet<string>) => supervise(context, except),
    tail: context.tail,
    tally: () => readTally(context),
    actingAs: (actor: JsonObject) => engineOver(Object.freeze({ ...context, actor })),
    interruptedBy: (signal: AbortSignal) => {
      const interrupted = AbortSignal.any([context.interrupted, signal]);
      return engineOver(Object.freeze({ ...context, interrupted }));
    },
    runs: runsOver(context),
    enterService: (address: string) => enterService(context, address),
    leaveService: () => leaveService(context),
    service: () => runningService(context),
    ...schedulesOver(context),
    deathsOf: (who: Whom) => deathsOf(context, who),
    deaths: (query: DeathQuery, limit: number) => keptDeaths(context, query, limit),
    attributeDeaths: (deaths: readonly DeathRecord[]) => attributeDeaths(context, deaths),
    recordDeaths: (deaths: readonly DeathRecord[]) => recordDeaths(context, deaths),
    keep: (onError: (error: unknown) => void) => keep(context, onError),
    close: () => {
      context.tail.close();
      context.store.close();
    },
  });
}

/**
 * Open the engine on a state folder. Close it when done.
 *
 * @throws {FaultlineError} ARCHITECTURE_UNSUPPORTED, HOST_UNSUPPORTED
 */
export function openEngine(options: EngineOptions): Engine {
  return engineOver(openContext(options));
}
