import type { ScheduleDocument, ScheduleEndDocument } from '../../api/schedule-documents.ts';
import { formatDuration } from '../../base/duration.ts';
import { textOf } from '../../base/json.ts';
import { count, printable } from '../../base/text.ts';
import { tableText } from './table.ts';

function field(name: string, value: string): string {
  return `${`${name}:`.padEnd(12)}${value}`;
}

function ticks({ runs, skipped, failed }: ScheduleDocument): string {
  return `${count(runs, 'run')}, of which ${failed} failed; ${count(skipped, 'tick')} skipped`;
}

function whenNext({ endedAt, nextRunAt }: ScheduleDocument): string {
  if (endedAt !== null) return `none: ended at ${endedAt}`;
  return nextRunAt ?? 'never';
}

function lastErrorLines({ lastError }: ScheduleDocument): readonly string[] {
  if (lastError === null) return [];
  const { code, message } = lastError;
  return [field('Last error', `${printable(textOf(message))} [${printable(textOf(code))}]`)];
}

/** One schedule for a person to read. */
export function scheduleText(schedule: ScheduleDocument): string {
  const { durationMs, lastRun, lastRunAt } = schedule;
  return [
    field('UID', schedule.uid),
    field('Attack', `${schedule.kind} ${schedule.action}`),
    field('Schedule', printable(schedule.schedule)),
    field('Duration', durationMs === null ? 'none: nothing lasts' : formatDuration(durationMs)),
    field('Created', schedule.createdAt),
    field('Next run', whenNext(schedule)),
    field('Last run', lastRun === null ? 'none yet' : `${lastRun} at ${lastRunAt ?? 'an unknown time'}`),
    field('Ticks', ticks(schedule)),
    ...lastErrorLines(schedule),
    field('By', printable(JSON.stringify(schedule.actor))),
    field('Request', printable(JSON.stringify(schedule.request))),
    ...schedule.notes.map((note) => field('Note', printable(note))),
  ].join('\n');
}

const columns = ['UID', 'KIND', 'ACTION', 'SCHEDULE', 'RUNS', 'SKIPPED', 'FAILED', 'NEXT RUN'];

function rowOf(schedule: ScheduleDocument): readonly string[] {
  const { uid, kind, action, runs, skipped, failed, endedAt } = schedule;
  const next = endedAt === null ? whenNext(schedule) : 'ended';
  return [uid, kind, action, schedule.schedule, String(runs), String(skipped), String(failed), next].map(printable);
}

export function scheduleTable(schedules: readonly ScheduleDocument[]): Promise<string> {
  return tableText(columns, schedules.map(rowOf));
}

export function scheduleEndText({ uid, already, recovered }: ScheduleEndDocument): string {
  const undone = recovered === null ? '' : `; its run ${recovered.uid} is ${recovered.state}`;
  return `Schedule ${uid} ${already ? 'had ended before' : 'ended'}${undone}`;
}
