import { isFaultlineError } from '../../base/error.ts';

/**
 * chaosd has one kind of uid: whoever gives one may mean an attack or a schedule.
 *
 * @returns the schedule, if it is one
 */
export async function knownSchedule<Found>(
  among: { findSchedule(uid: string): Promise<Found> },
  uid: string,
): Promise<Found | undefined> {
  try {
    return await among.findSchedule(uid);
  } catch (error) {
    if (isFaultlineError(error, 'SCHEDULE_NOT_FOUND')) return undefined;
    throw error;
  }
}
