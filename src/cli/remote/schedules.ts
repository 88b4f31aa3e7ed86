import type { Page } from '../../api/documents.ts';
import type { Operations, ScheduleListFilter } from '../../api/operations.ts';
import type { ScheduleDocument } from '../../api/schedule-documents.ts';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { scheduleBody } from '../../experiment/schedule/request.ts';
import { type Ask, type Client, lookPatienceMs } from './client.ts';
import { readPages } from './pages.ts';
import { documentOf, type Guard, isSchedule, isScheduleEnd, isSchedulePage } from './shapes.ts';

/** Ending a schedule waits for its live run to be undone, and for recover commands with it. */
const endPatienceMs = 15 * 60_000;

/** What is no uid is no part of a path either. */
function schedulePath(uid: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(uid)) return `/schedules/${uid}`;
  throw new FaultlineError('SCHEDULE_NOT_FOUND', `there is no schedule ${printable(uid)}`, {
    hint: 'faultline schedule list lists them',
  });
}

function queryOf({ ended }: ScheduleListFilter, offset: number, limit: number): string {
  const which = ended === undefined ? {} : { ended: String(ended) };
  return String(new URLSearchParams({ ...which, offset: String(offset), limit: String(limit) }));
}

type ScheduleOperations = Pick<Operations, 'addSchedule' | 'schedules' | 'findSchedule' | 'endSchedule'>;

/** Schedules of a service; every request may be repeated: a schedule is added once by its uid, and ended once. */
export function remoteSchedules(client: Client): ScheduleOperations {
  async function ask<Document>(what: string, is: Guard<Document>, wanted: Omit<Ask, 'repeatable'>): Promise<Document> {
    const { document } = await client.ask({ ...wanted, repeatable: true });
    return documentOf(client.url, what, is, document);
  }
  const look = { method: 'GET', patienceMs: lookPatienceMs } as const;
  const page = (filter: ScheduleListFilter, offset: number, limit: number): Promise<Page<ScheduleDocument>> =>
    ask('page of a list', isSchedulePage, { ...look, path: `/schedules?${queryOf(filter, offset, limit)}` });
  return {
    addSchedule: (request) =>
      ask('schedule', isSchedule, {
        method: 'POST',
        path: '/schedules',
        body: scheduleBody(request),
        patienceMs: lookPatienceMs,
        look: `schedule show ${request.attack.uid}`,
      }),
    schedules: (filter) => readPages(filter, (offset, limit) => page(filter, offset, limit)),
    findSchedule: async (uid) => ask('schedule', isSchedule, { ...look, path: schedulePath(uid) }),
    endSchedule: async (uid) => {
      const path = schedulePath(uid);
      return ask('end of a schedule', isScheduleEnd, {
        method: 'DELETE',
        path,
        patienceMs: endPatienceMs,
        look: `schedule show ${uid}`,
        lackingStatus: 409,
      });
    },
  };
}
