import type { FastifyPluginAsync } from 'fastify';
import { integer, object, optional } from '../../base/schema-types.ts';
import type { Service } from '../service.ts';
import { operationsOf } from './asking.ts';
import { parseQuery } from './input.ts';
import { errorAnswers } from './schemas/answers.ts';
import { auditAnswerSchema } from './schemas/host.ts';

const auditQuery = object(
  { limit: optional(integer({ description: 'At most so many', minimum: 1, maximum: 100_000, default: 50 })) },
  { additionalProperties: false },
);

const auditSchema = {
  operationId: 'audit',
  summary: 'Who did what, and how it ended',
  querystring: auditQuery,
  response: { 200: auditAnswerSchema, ...errorAnswers },
};

/** `/audit`. It names people and addresses, so it is not for those who may only read. */
export function auditRoutes(service: Service): FastifyPluginAsync {
  return (app) => {
    app.get('/audit', { config: { role: 'attack' }, schema: auditSchema }, async (request) => {
      const { limit = 50 } = await parseQuery(auditQuery, request.query);
      return { items: await operationsOf(service, request).audit(limit) };
    });
    return Promise.resolve();
  };
}
