import { FaultlineError } from '../../base/error.ts';
import type { JsonObject } from '../../base/json.ts';
import { type AttackRequest, attackBody, parseAttackBody } from '../request.ts';

/** A checked request to attack again and again; the uid of the attack is the schedule's. */
export interface ScheduleRequest {
  /** Five fields of cron, or `@every 10s`; read by `readExpression`. */
  readonly expression: string;
  readonly attack: AttackRequest;
}

/** Runs are called `<uid>-<number>`, and uids have at most 128 characters. */
const maxUidLength = 100;

/** @throws {FaultlineError} SCHEDULE_INVALID, UID_INVALID */
export function scheduleRequest(expression: string, attack: AttackRequest): ScheduleRequest {
  if (attack.uid.length > maxUidLength) {
    throw new FaultlineError('UID_INVALID', `the uid of a schedule has at most ${maxUidLength} characters`, {
      hint: 'its runs are called by it and a number',
    });
  }
  return Object.freeze({ expression: expression.trim(), attack });
}

/**
 * A request as one flat object: the body of an attack, and `schedule` beside its fields.
 *
 * @throws {FaultlineError} SCHEDULE_INVALID, and whatever `parseAttackBody` throws
 */
export async function parseSchedule(body: JsonObject): Promise<ScheduleRequest> {
  const { schedule, ...rest } = body;
  if (typeof schedule !== 'string' || schedule.trim() === '') {
    throw new FaultlineError('SCHEDULE_INVALID', 'schedule must be given, as text', {
      hint: 'for example {"schedule":"@every 10s","duration":"5s",…}, or five fields of cron',
    });
  }
  return scheduleRequest(schedule, await parseAttackBody(rest));
}

/** {@link parseSchedule} backwards, for whoever sends it on. */
export function scheduleBody({ expression, attack }: ScheduleRequest): JsonObject {
  return { ...attackBody(attack), schedule: expression };
}

/** What the journal keeps of what each run is to do. */
export function runBody(attack: AttackRequest): JsonObject {
  const { uid: _itsOwn, ...body } = attackBody(attack);
  return body;
}

/** A body as others may see it: a recover command may hold a password, so only that there is one is told. */
export function tellableBody(body: JsonObject): JsonObject {
  const secret = (key: string): boolean => key === 'recoverCmd' || key === 'recover-cmd';
  return Object.fromEntries(Object.entries(body).map(([key, value]) => [key, secret(key) ? '(given)' : value]));
}
