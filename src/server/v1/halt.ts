import type { FastifyPluginAsync } from 'fastify';
import { parseInput } from '../../base/schema.ts';
import { object, optional, string } from '../../base/schema-types.ts';
import type { Service } from '../service.ts';
import { operationsOf } from './asking.ts';
import { flatBody } from './input.ts';
import { errorAnswers } from './schemas/answers.ts';
import { haltAnswerSchema } from './schemas/host.ts';
import { sweepAnswerSchema } from './schemas/injection.ts';

const haltBody = object(
  { reason: optional(string({ description: 'Told to whoever attacks meanwhile', minLength: 1, maxLength: 1_000 })) },
  { additionalProperties: false },
);

const haltSchema = {
  operationId: 'halt',
  summary: 'Undo every injection that is live, and hold off new attacks until released',
  body: haltBody,
  response: { 200: sweepAnswerSchema, ...errorAnswers },
};

const haltedSchema = {
  operationId: 'halted',
  summary: 'Are attacks held off?',
  response: { 200: haltAnswerSchema, ...errorAnswers },
};

const releaseSchema = {
  operationId: 'releaseHalt',
  summary: 'Allow attacks again',
  description: 'Answers with the halt that was in force; `halted` is false where none was.',
  response: { 200: haltAnswerSchema, ...errorAnswers },
};

/** `/halt`. */
export function haltRoutes(service: Service): FastifyPluginAsync {
  return (app) => {
    app.get('/halt', { config: { role: 'read' }, schema: haltedSchema }, async (request) =>
      operationsOf(service, request).halted(),
    );
    app.post('/halt', { config: { role: 'attack' }, schema: haltSchema }, async (request) => {
      const { reason = 'no reason was given' } = await parseInput(haltBody, flatBody(request.body));
      return operationsOf(service, request).halt(reason);
    });
    app.delete('/halt', { config: { role: 'attack' }, schema: releaseSchema }, async (request) =>
      operationsOf(service, request).releaseHalt(),
    );
    return Promise.resolve();
  };
}
