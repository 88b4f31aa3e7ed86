import type { FastifyPluginAsync } from 'fastify';
import { isFaultlineError } from '../../base/error.ts';
import { boolean, integer, object, optional } from '../../base/schema-types.ts';
import { parseSchedule } from '../../experiment/schedule/request.ts';
import { refuseRecoverCommand } from '../recover-command.ts';
import type { Service } from '../service.ts';
import { operationsOf } from './asking.ts';
import { flatBody, parseQuery, uidOf } from './input.ts';
import { nextPage } from './paging.ts';
import { errorAnswers, pageOf } from './schemas/answers.ts';
import { anyScheduleSchema } from './schemas/attack.ts';
import { scheduleEndSchema, scheduleSchema } from './schemas/schedule.ts';

const listQuery = object(
  {
    ended: optional(boolean({ description: 'Only those that have ended, or only those that have not' })),
    offset: optional(integer({ description: 'Pass over so many', minimum: 0, default: 0 })),
    limit: optional(integer({ description: 'At most so many', minimum: 1, maximum: 500, default: 50 })),
  },
  { additionalProperties: false },
);

const addSchema = {
  operationId: 'addSchedule',
  summary: 'Attack again and again',
  description:
    'Each run is an injection of its own. Ticks are skipped while the last run is live and while attacks are halted. ' +
    'Sent again with the same `uid`, it is answered with what the schedule is by now: 201 becomes 200.',
  body: anyScheduleSchema,
  response: {
    200: { ...scheduleSchema, 'x-response-description': 'It was there already' },
    201: { ...scheduleSchema, 'x-response-description': 'It was made' },
    ...errorAnswers,
  },
};

const listSchema = {
  operationId: 'listSchedules',
  summary: 'Schedules, the newest first, a page at a time',
  querystring: listQuery,
  response: { 200: pageOf(scheduleSchema), ...errorAnswers },
};

const findSchema = {
  operationId: 'findSchedule',
  summary: 'One schedule',
  response: { 200: scheduleSchema, ...errorAnswers },
};

const endSchema = {
  operationId: 'endSchedule',
  summary: 'End a schedule for good, then undo its live run',
  description: 'May be sent again. When something of the run is left to undo, RECOVERY_INCOMPLETE, the status is 409.',
  response: {
    200: scheduleEndSchema,
    409: { ...scheduleEndSchema, 'x-response-description': 'Something of its run is left to undo' },
    ...errorAnswers,
  },
};

async function isThere(service: Service, uid: string): Promise<boolean> {
  try {
    await service.engine.findSchedule(uid);
    return true;
  } catch (error) {
    if (isFaultlineError(error, 'SCHEDULE_NOT_FOUND')) return false;
    throw error;
  }
}

/** `/schedules`. */
export function scheduleRoutes(service: Service): FastifyPluginAsync {
  return (app) => {
    const path = `${app.prefix}/schedules`;
    app.post('/schedules', { config: { role: 'attack' }, schema: addSchema }, async (request, reply) => {
      const body = flatBody(request.body);
      refuseRecoverCommand(service.options, body);
      const asked = await parseSchedule(body);
      const again = 'uid' in body && (await isThere(service, asked.attack.uid));
      const document = await operationsOf(service, request).addSchedule(asked);
      void reply.header('location', `${path}/${encodeURIComponent(document.uid)}`);
      return reply.code(again ? 200 : 201).send(document);
    });
    app.get('/schedules', { config: { role: 'read' }, schema: listSchema }, async (request) => {
      const query = await parseQuery(listQuery, request.query);
      const page = await operationsOf(service, request).schedules({ offset: 0, limit: 50, ...query });
      return { ...page, next: nextPage(path, query, page) };
    });
    app.get('/schedules/:uid', { config: { role: 'read' }, schema: findSchema }, async (request) =>
      operationsOf(service, request).findSchedule(uidOf(request)),
    );
    app.delete('/schedules/:uid', { config: { role: 'attack' }, schema: endSchema }, async (request, reply) => {
      const document = await operationsOf(service, request).endSchedule(uidOf(request));
      const incomplete = document.recovered?.shortfall?.code === 'RECOVERY_INCOMPLETE';
      return reply.code(incomplete ? 409 : 200).send(document);
    });
    return Promise.resolve();
  };
}
