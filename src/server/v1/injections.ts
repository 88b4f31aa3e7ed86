import type { FastifyPluginAsync } from 'fastify';
import { chaosdStatuses, statesOf } from '../../api/chaosd-status.ts';
import type { ListFilter } from '../../api/operations.ts';
import type { InjectionState } from '../../base/lifecycle.ts';
import { boolean, integer, object, optional, type Static, string } from '../../base/schema-types.ts';
import { forReaders } from '../redaction.ts';
import type { Service } from '../service.ts';
import { operationsOf } from './asking.ts';
import { parseQuery, uidOf } from './input.ts';
import { nextPage } from './paging.ts';
import { errorAnswers, pageOf } from './schemas/answers.ts';
import {
  injectionSchema,
  recoveryAnswerSchema,
  states,
  summarySchema,
  sweepAnswerSchema,
} from './schemas/injection.ts';
import { oneOf } from './schemas/words.ts';

const stateWord = `(${states.join('|')})`;

const listQuery = object(
  {
    state: optional(
      string({
        description: `Only these, separated by commas: ${states.join(', ')}`,
        pattern: `^${stateWord}(,${stateWord}){0,15}$`,
      }),
    ),
    status: optional(oneOf(chaosdStatuses, "Only these, in chaosd's words")),
    kind: optional(string({ description: 'Only those of this fault', maxLength: 100 })),
    schedule: optional(string({ description: 'Only the runs of this schedule', maxLength: 128 })),
    order: optional(oneOf(['asc', 'desc'], 'desc, as by default: the newest first')),
    offset: optional(integer({ description: 'Pass over so many', minimum: 0, default: 0 })),
    limit: optional(integer({ description: 'At most so many', minimum: 1, maximum: 500, default: 50 })),
  },
  { additionalProperties: false },
);

const recoverQuery = object(
  { abandon: optional(boolean({ description: 'Give up on what cannot be undone', default: false })) },
  { additionalProperties: false },
);

const listSchema = {
  operationId: 'listInjections',
  summary: 'Injections, a page at a time',
  description: 'While others are added, `next` of the newest first may show some of them again.',
  querystring: listQuery,
  response: { 200: pageOf(summarySchema), ...errorAnswers },
};

const findSchema = {
  operationId: 'findInjection',
  summary: 'One injection, with what its targets are now',
  description: 'Those who may only read are told that there is a recover command, not which.',
  response: { 200: injectionSchema, ...errorAnswers },
};

const recoverSchema = {
  operationId: 'recover',
  summary: 'Undo an injection',
  description:
    'May be sent again. `shortfall` tells what is lacking: RECOVERY_IMPOSSIBLE when there is nothing that could be ' +
    'undone. When something is left to undo, RECOVERY_INCOMPLETE, the status is 409.',
  querystring: recoverQuery,
  response: {
    200: recoveryAnswerSchema,
    409: { ...recoveryAnswerSchema, 'x-response-description': 'Something is left to undo' },
    ...errorAnswers,
  },
};

const recoverAllSchema = {
  operationId: 'recoverAll',
  summary: 'Undo every injection that is live',
  querystring: recoverQuery,
  response: { 200: sweepAnswerSchema, ...errorAnswers },
};

/** By our words, by chaosd's, or by both: then those that both mean. */
function statesAsked({ state, status }: Static<typeof listQuery>): Pick<ListFilter, 'states'> {
  const ours = state?.split(',') as InjectionState[] | undefined;
  const theirs = status === undefined ? undefined : statesOf(status);
  if (ours === undefined) return theirs === undefined ? {} : { states: theirs };
  return { states: [...new Set(ours)].filter((one) => theirs?.includes(one) ?? true) };
}

function filterOf(query: Static<typeof listQuery>): ListFilter {
  const { kind, schedule, order, offset = 0, limit = 50 } = query;
  return {
    ...statesAsked(query),
    ...(kind === undefined ? {} : { kind }),
    ...(schedule === undefined ? {} : { schedule }),
    ascending: order === 'asc',
    offset,
    limit,
  };
}

/** `/injections`, but for making them. */
export function injectionRoutes(service: Service): FastifyPluginAsync {
  return (app) => {
    app.get('/injections', { config: { role: 'read' }, schema: listSchema }, async (request) => {
      const query = await parseQuery(listQuery, request.query);
      const page = await operationsOf(service, request).list(filterOf(query));
      return { ...page, next: nextPage(`${app.prefix}/injections`, query, page) };
    });
    app.get('/injections/:uid', { config: { role: 'read' }, schema: findSchema }, async (request) => {
      const document = await operationsOf(service, request).find(uidOf(request));
      return request.caller?.role === 'attack' ? document : forReaders(document, document.spec['recoverCmd']);
    });
    app.delete('/injections/:uid', { config: { role: 'attack' }, schema: recoverSchema }, async (request, reply) => {
      const { abandon = false } = await parseQuery(recoverQuery, request.query);
      const document = await operationsOf(service, request).recover(uidOf(request), abandon);
      return reply.code(document.shortfall?.code === 'RECOVERY_INCOMPLETE' ? 409 : 200).send(document);
    });
    app.delete('/injections', { config: { role: 'attack' }, schema: recoverAllSchema }, async (request) => {
      const { abandon = false } = await parseQuery(recoverQuery, request.query);
      return operationsOf(service, request).recoverAll(abandon);
    });
    return Promise.resolve();
  };
}
