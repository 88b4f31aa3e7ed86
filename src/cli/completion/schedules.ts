import type { Operations } from '../../api/operations.ts';
import type { ScheduleDocument } from '../../api/schedule-documents.ts';
import { type Candidate, candidate } from './candidate.ts';
import { withListing } from './injections.ts';
import type { Wanted } from './wanted.ts';

/** More would be no help in choosing. */
const mostSchedules = 100;

function described({ kind, action, schedule, endedAt }: ScheduleDocument): string {
  return `${kind} ${action}, ${schedule}${endedAt === null ? '' : ', ended'}`;
}

/**
 * The schedules of the service or in the journal, the newest first.
 *
 * @param ended only those that have ended, or only those that have not
 * @throws {FaultlineError} STATE_…: the journal cannot be read; SERVER_…: the service cannot be asked
 */
export async function scheduleCandidates(wanted: Wanted, ended: boolean | undefined): Promise<readonly Candidate[]> {
  const filter = { limit: mostSchedules, ...(ended === undefined ? {} : { ended }) };
  const list = async (operations: Operations) => (await operations.schedules(filter)).items;
  return (await withListing(wanted, list)).map((one) => candidate(one.uid, described(one)));
}
