import { isDeepStrictEqual } from 'node:util';
import { FaultlineError, isFaultlineError } from '../../base/error.ts';
import { toJson } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import { findInjection } from '../../store/injections.ts';
import { findSchedule, insertSchedule, type NewSchedule, type ScheduleRecord } from '../../store/schedules.ts';
import { prepareAttack } from '../attack.ts';
import { audited } from '../audit.ts';
import type { EngineContext } from '../context.ts';
import { cameToNothing } from '../injection.ts';
import type { AttackRequest } from '../request.ts';
import { runningService } from '../service.ts';
import { readExpression } from './expression.ts';
import { runBody, type ScheduleRequest, tellableBody } from './request.ts';
import { momentNow, readSchedule, requireSchedule, type Schedule } from './schedule.ts';
import { nextTickAt } from './timetable.ts';

/** What may be otherwise at the first tick: targets come and go. */
const mayComeLater = ['PROCESS_NOT_FOUND', 'CGROUP_NOT_FOUND', 'TARGET_NONE'] as const;

/**
 * The attack of each run, checked as if it were made now, but for targets that are not there yet.
 *
 * @throws {FaultlineError} SCHEDULE_INVALID when a run would never end; whatever is wrong with the request
 */
async function checkedAttack(context: EngineContext, attack: AttackRequest): Promise<AttackRequest> {
  const { kind, action, input, leaseMs } = attack;
  const fault = await context.descriptorOf(kind).load();
  const lasts = fault.lasts(action, await fault.parse(action, input));
  if (lasts && leaseMs === undefined) {
    throw new FaultlineError(
      'SCHEDULE_INVALID',
      `a schedule of ${kind} ${action} needs --duration: when does a run end?`,
      {
        hint: 'add, for example, --duration 5s; ticks are skipped while a run is live',
      },
    );
  }
  // Where nothing lasts there is nothing to end. Clients of chaosd give a duration with every schedule.
  const checked: AttackRequest = lasts ? attack : { ...attack, leaseMs: undefined };
  try {
    await prepareAttack(context, checked);
  } catch (error) {
    if (!mayComeLater.some((code) => isFaultlineError(error, code))) throw error;
  }
  return checked;
}

async function refuseNever(context: EngineContext, text: string): Promise<void> {
  const expression = await readExpression(text);
  const now = momentNow(context);
  if (nextTickAt(expression, now, now) !== undefined) return;
  throw new FaultlineError('SCHEDULE_INVALID', `the schedule "${printable(text)}" never ticks: there is no such day`, {
    hint: 'see its fields: minute hour day month weekday',
  });
}

function refuseWithoutService(context: EngineContext): void {
  if (runningService(context) !== undefined) return;
  throw new FaultlineError('SCHEDULE_NEEDS_SERVICE', `no service runs on ${printable(context.stateDir)}`, {
    hint: 'schedules are carried out by the service: start it with faultline server, or name one with --server URL',
  });
}

type Wanted = Pick<NewSchedule, 'expression' | 'kind' | 'action' | 'body'>;

/** The schedule of this uid, if it was asked for before in the same words. @throws {FaultlineError} SCHEDULE_EXISTS */
function askedBefore(context: EngineContext, uid: string, wanted: Wanted): ScheduleRecord | undefined {
  const known = findSchedule(context.store, uid);
  if (known === undefined) return undefined;
  const { expression, kind, action, body } = known;
  if (isDeepStrictEqual({ expression, kind, action, body }, toJson(wanted))) return known;
  throw new FaultlineError('SCHEDULE_EXISTS', `there is another schedule ${uid} already`, {
    hint: `faultline schedule show ${uid}; for a new one leave the uid out`,
  });
}

function refuseInjections(context: EngineContext, uid: string): void {
  const injection = findInjection(context.store, uid);
  if (injection === undefined || cameToNothing(injection)) return;
  throw new FaultlineError('INJECTION_EXISTS', `there is an injection ${uid} already (${injection.state})`, {
    hint: 'a schedule needs a uid of its own',
  });
}

function wantedOf(expression: string, attack: AttackRequest): Wanted {
  return { expression, kind: attack.kind, action: attack.action, body: runBody(attack) };
}

function admitSchedule(context: EngineContext, uid: string, attack: AttackRequest, wanted: Wanted): Promise<void> {
  const { store, timeline } = context;
  return timeline.write('schedule', (record) => {
    if (askedBefore(context, uid, wanted) !== undefined) return; // somebody else was quicker
    refuseInjections(context, uid);
    const lastDue = momentNow(context);
    const leaseMs = attack.leaseMs ?? null;
    insertSchedule(store, { uid, ...wanted, leaseMs, createdAt: lastDue.wallMs, actor: context.actor, lastDue });
    const { expression, kind, action } = wanted;
    record(null, 'schedule.added', { schedule: uid, expression, kind, action, leaseMs });
  });
}

/**
 * Attack again and again from now on, as long as a service runs on this state folder. Asked for once more in the same
 * words, it is told what it is by now.
 *
 * @throws {FaultlineError} SCHEDULE_INVALID, SCHEDULE_EXISTS, INJECTION_EXISTS, SCHEDULE_NEEDS_SERVICE; what a wrong
 *   request to attack throws
 */
export function addSchedule(context: EngineContext, { expression, attack }: ScheduleRequest): Promise<Schedule> {
  const { uid } = attack;
  const entry = {
    action: 'add schedule',
    subject: uid,
    parameters: { ...tellableBody(runBody(attack)), schedule: expression },
  };
  return audited(context, entry, async () => {
    const checked = await checkedAttack(context, attack);
    await refuseNever(context, expression);
    const wanted = wantedOf(expression, checked);
    if (askedBefore(context, uid, wanted) === undefined) {
      refuseWithoutService(context);
      await admitSchedule(context, uid, checked, wanted);
    }
    return readSchedule(context, requireSchedule(context, uid));
  });
}
