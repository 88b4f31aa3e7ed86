import { existsSync } from 'node:fs';
import { isLive } from '../base/lifecycle.ts';
import type { Plan, TargetVerdict } from '../faults/fault.ts';
import { type AuditRecord, listAudit } from '../store/audit.ts';
import { findInjection, type InjectionFilter, type InjectionRecord, listInjections } from '../store/injections.ts';
import { type HaltRecord, readHalt } from '../store/latches.ts';
import { refuseConflicts, refuseHalted } from './admission.ts';
import { attack, prepareAttack } from './attack.ts';
import { audited } from './audit.ts';
import { type EngineContext, type EngineOptions, openContext } from './context.ts';
import { type Examination, examine } from './doctor.ts';
import { halt, recoverAll, releaseHalt, type Sweep } from './halt.ts';
import { type Injection, readInjection } from './injection.ts';
import { keep } from './keeper.ts';
import { notFound, type Recovery, recoverInjection } from './recovery.ts';
import type { AttackRequest } from './request.ts';
import { recoveryShortfall } from './shortfall.ts';
import { type Repair, supervise } from './supervise.ts';

export type { AuditRecord } from '../store/audit.ts';
export type { InjectionFilter, InjectionRecord } from '../store/injections.ts';
export type { HaltRecord } from '../store/latches.ts';

/** The one engine behind every front door. */
export interface Engine {
  readonly stateDir: string;
  /** Exactly what an attack would touch; changes nothing. */
  plan(request: AttackRequest): Promise<Plan>;
  attack(request: AttackRequest): Promise<Injection>;
  recover(uid: string, abandon: boolean): Promise<Recovery>;
  recoverAll(abandon: boolean): Promise<Sweep>;
  halt(reason: string): Promise<Sweep>;
  releaseHalt(): Promise<HaltRecord | undefined>;
  halted(): HaltRecord | undefined;
  /** @throws {FaultlineError} INJECTION_NOT_FOUND */
  find(uid: string): Injection;
  list(filter: InjectionFilter): readonly InjectionRecord[];
  /** What the targets of an injection are now. */
  observe(injection: Injection): Promise<readonly TargetVerdict[]>;
  audit(limit: number): readonly AuditRecord[];
  /** What this host supports, part by part. */
  examine(): Promise<readonly Examination[]>;
  /** Undo what was left behind; every command does so before its own work. */
  supervise(): Promise<readonly Repair[]>;
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
  const prepared = await prepareAttack(context, request);
  if (existsSync(context.store.file)) {
    refuseHalted(context);
    if (!request.allowOverlap) refuseConflicts(context, prepared.plan, -1);
  }
  return prepared.plan;
}

function find(context: EngineContext, uid: string): Injection {
  const record = findInjection(context.store, uid);
  if (record === undefined) throw notFound(uid);
  return readInjection(context, record);
}

function engineOver(context: EngineContext): Engine {
  return Object.freeze({
    stateDir: context.stateDir,
    plan: (request: AttackRequest) => plan(context, request),
    attack: (request: AttackRequest) => attack(context, request),
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
    observe: async ({ record, effects }: Injection) => {
      const fault = await context.descriptorOf(record.kind).load();
      return isLive(record.state) || record.bootId === context.host.bootId ? fault.observe(effects) : [];
    },
    audit: (limit: number) => listAudit(context.store, limit),
    examine: () => examine(context),
    supervise: () => supervise(context),
    keep: (onError: (error: unknown) => void) => keep(context, onError),
    close: () => {
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
