import type { FastifyBaseLogger } from 'fastify';
import type { EngineEvent } from '../experiment/events.ts';
import { forReaders } from './redaction.ts';

const levels = new Map([
  ['schedule.added', 'info'],
  ['schedule.run', 'debug'],
  ['schedule.skipped', 'info'],
  ['schedule.failed', 'warn'],
  ['schedule.ended', 'info'],
] as const);

/** What becomes of schedules happens while nobody looks: it goes into the log. */
export function logSchedules(log: FastifyBaseLogger, { type, data }: EngineEvent): void {
  const level = levels.get(type as 'schedule.run');
  if (level !== undefined) log[level](forReaders(data), type);
}
