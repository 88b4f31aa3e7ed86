import { liveStates } from '../../base/lifecycle.ts';
import { listInjections } from '../../store/injections.ts';
import { endScheduleRow } from '../../store/schedules.ts';
import { audited } from '../audit.ts';
import type { EngineContext } from '../context.ts';
import { type Recovery, recoverInjection } from '../recovery.ts';
import { recoveryShortfall } from '../shortfall.ts';
import { requireSchedule } from './schedule.ts';

/** What became of a schedule that was to end. */
export interface ScheduleEnd {
  readonly uid: string;
  /** It had ended before. */
  readonly already: boolean;
  /** Its live run, undone; undefined when none was live, or when the one that was just beginning came to nothing. */
  readonly recovery: Recovery | undefined;
}

/** The uid of the run of a schedule that has still something to undo, if one has. */
export function liveRunOf({ store }: EngineContext, uid: string): string | undefined {
  return listInjections(store, { schedule: uid, states: liveStates, limit: 1 })[0]?.uid;
}

/** The run was ended while it was beginning, or was over by itself: that nothing is undone lacks nothing. */
function isMoot({ record, already }: Recovery): boolean {
  return record.state === 'failed' || (already && record.state === 'unrecoverable');
}

async function end(context: EngineContext, uid: string): Promise<ScheduleEnd> {
  const { store, timeline } = context;
  // First of all durably: a run that is just about to begin is refused from now on.
  const already = await timeline.write('schedule', (record) => {
    const { id, endedAt, runs, skipped, failed } = requireSchedule(context, uid);
    if (endedAt !== null) return true;
    endScheduleRow(store, id, Date.now());
    record(null, 'schedule.ended', { schedule: uid, runs, skipped, failed });
    return false;
  });
  const live = liveRunOf(context, uid);
  const options = { reason: 'its schedule was ended', abandon: false, insist: true };
  const recovery = live === undefined ? undefined : await recoverInjection(context, live, options);
  return Object.freeze({ uid, already, recovery: recovery !== undefined && isMoot(recovery) ? undefined : recovery });
}

/**
 * End a schedule for good, then undo its live run. May be repeated: what could not be undone is tried again.
 *
 * @throws {FaultlineError} SCHEDULE_NOT_FOUND, INJECTION_BUSY, STATE_…
 */
export function endSchedule(context: EngineContext, uid: string): Promise<ScheduleEnd> {
  const entry = { action: 'end schedule', subject: uid, parameters: {} };
  return audited(
    context,
    entry,
    () => end(context, uid),
    ({ recovery }) => (recovery === undefined ? undefined : recoveryShortfall(recovery)),
  );
}
