import { array, boolean, integer, literal, string } from '../../../base/schema-types.ts';
import { errorSchema, recoveryAnswerSchema } from './injection.ts';
import { facts, milliseconds, named, nullable, time } from './words.ts';

/* The documents of src/api/schedule-documents.ts, as JSON Schema. */

export const scheduleSchema = named('Schedule', 'An attack that is made again and again', {
  uid: string(),
  kind: string({ description: 'The fault' }),
  action: string({ description: 'What the fault does' }),
  schedule: string({ description: 'Five fields of cron, or @every 10s' }),
  durationMs: nullable(milliseconds('How long each run lasts')),
  createdAt: time('When it was made'),
  endedAt: nullable(time('When it was ended')),
  nextRunAt: nullable(time('When it runs next')),
  lastRunAt: nullable(time('When it ran last')),
  lastRun: nullable(string({ description: 'The uid of the newest run, which is an injection of its own' })),
  runs: integer({ description: 'Ticks that began a run, whatever came of it' }),
  skipped: integer({ description: 'Ticks that began none: the last run was live, or attacks were halted' }),
  failed: integer({ description: 'Runs that did not do what was asked' }),
  lastError: nullable(errorSchema),
  request: facts('What each run does: the body of an attack, without what may be secret'),
  actor: facts('Who made it'),
  notes: array(string({ description: 'What whoever made it may not have meant' })),
});

export const scheduleEndSchema = named('ScheduleEnd', 'What became of a schedule that was to end', {
  uid: string(),
  ended: literal(true),
  already: boolean({ description: 'It had ended before' }),
  recovered: nullable(recoveryAnswerSchema),
});
