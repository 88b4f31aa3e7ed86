import { FaultlineError } from '../../base/error.ts';
import type { JsonObject } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import { findInjection } from '../../store/injections.ts';
import { readHalt, readServer } from '../../store/latches.ts';
import {
  findSchedule,
  type Moment,
  moveLastDue,
  type ScheduleRecord,
  settleRun,
  skipTick,
  takeTick,
} from '../../store/schedules.ts';
import { attack } from '../attack.ts';
import type { EngineContext } from '../context.ts';
import { errorToJson } from '../error-json.ts';
import { parseAttackBody } from '../request.ts';
import { attackShortfall } from '../shortfall.ts';
import { liveRunOf } from './end.ts';

/*
 * One tick. That it is taken is on the disk before its run begins: whatever ends this process in between, the tick is
 * never taken again. It may then be lost, which is counted as a failure.
 */

/** Is this process the service of this state folder? Only that one carries out schedules. */
export function isService({ store, self }: EngineContext): boolean {
  const identity = readServer(store)?.identity;
  return identity?.['pid'] === self.pid && identity['startTimeTicks'] === self.startTimeTicks;
}

/** The schedule, if it is still as it was when its tick was found to be due. */
function unchanged({ store }: EngineContext, { uid, lastDue }: ScheduleRecord): ScheduleRecord | undefined {
  const now = findSchedule(store, uid);
  if (now === undefined || now.endedAt !== null) return undefined;
  return now.lastDue.wallMs === lastDue.wallMs && now.lastDue.bootMs === lastDue.bootMs ? now : undefined;
}

/** Why a tick must be skipped, if it must. */
function reasonToSkip(context: EngineContext, { uid, underWay }: ScheduleRecord): string | undefined {
  const halt = readHalt(context.store);
  if (halt !== undefined) return `attacks are halted: ${printable(halt.reason)}`;
  const live = underWay ?? liveRunOf(context, uid);
  return live === undefined ? undefined : `${live} is live`;
}

export type Tick = { readonly run: string } | { readonly skipped: string };

/**
 * Take or skip a tick, durably.
 *
 * @param quiet a skipped tick is only counted: that ticks are skipped was told before
 * @returns undefined when it is not due any more
 */
export function decideTick(
  context: EngineContext,
  schedule: ScheduleRecord,
  due: Moment,
  quiet: boolean,
): Promise<Tick | undefined> {
  const { store, timeline } = context;
  return timeline.write('tick', (record) => {
    const current = isService(context) ? unchanged(context, schedule) : undefined;
    if (current === undefined) return undefined;
    const { id, uid, runs, skipped: before } = current;
    const skipped = reasonToSkip(context, current);
    if (skipped !== undefined) {
      skipTick(store, id, due);
      if (!quiet) record(null, 'schedule.skipped', { schedule: uid, reason: skipped, skipped: before + 1 });
      return { skipped };
    }
    const run = `${uid}-${runs + 1}`;
    takeTick(store, id, due, { uid: run, at: Date.now() });
    record(null, 'schedule.run', { schedule: uid, run, dueAt: new Date(due.wallMs).toISOString() });
    return { run };
  });
}

/** Count ticks from another moment; see `correctedDue`. */
export function moveSchedule(context: EngineContext, schedule: ScheduleRecord, lastDue: Moment): Promise<void> {
  return context.timeline.write('tick', () => {
    if (isService(context) && unchanged(context, schedule) !== undefined) {
      moveLastDue(context.store, schedule.id, lastDue);
    }
  });
}

/** A mode that chooses by chance may choose none: that is no failure. */
function failureOf(error: unknown, ended: boolean): JsonObject | null {
  const meant = error instanceof FaultlineError && (error.code === 'TARGET_NONE' || ended);
  return meant ? null : errorToJson(error);
}

async function inject(context: EngineContext, { uid, body, actor }: ScheduleRecord, run: string): Promise<unknown> {
  const acting = Object.freeze({ ...context, actor: Object.freeze({ via: 'schedule', schedule: uid, for: actor }) });
  try {
    const request = await parseAttackBody({ ...body, uid: run });
    return attackShortfall(await attack(acting, { ...request, schedule: uid }));
  } catch (error) {
    return error;
  }
}

function settle(context: EngineContext, { id, uid }: ScheduleRecord, run: string, failure: JsonObject | null) {
  return context.timeline.write('settle run', (record) => {
    const settled = settleRun(context.store, id, run, failure === null ? null : { ...failure, details: { run } });
    if (settled && failure !== null) record(null, 'schedule.failed', { schedule: uid, run, error: failure });
  });
}

/** The run of a tick that was taken: an injection of its own. One that fails is counted, and the schedule goes on. */
export async function carryOutRun(context: EngineContext, schedule: ScheduleRecord, run: string): Promise<void> {
  const error = await inject(context, schedule, run);
  const ended = (findSchedule(context.store, schedule.uid)?.endedAt ?? null) !== null;
  await settle(context, schedule, run, error === undefined ? null : failureOf(error, ended));
}

/** Settle a run that another process had begun, which is gone. What it did is recovered as with any injection. */
export function settleLost(context: EngineContext, schedule: ScheduleRecord, run: string): Promise<void> {
  const injection = findInjection(context.store, run);
  const whole = injection !== undefined && injection.injectedBootMs !== null;
  const lost = new FaultlineError('INJECTION_FAILED', `the service ended before it had injected ${run}`);
  return settle(context, schedule, run, whole ? null : errorToJson(lost));
}
