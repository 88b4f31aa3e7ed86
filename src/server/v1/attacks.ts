import type { FastifyPluginAsync } from 'fastify';
import { FaultlineError, isFaultlineError } from '../../base/error.ts';
import type { JsonObject } from '../../base/json.ts';
import { parseAttackBody } from '../../experiment/request.ts';
import { refuseRecoverCommand } from '../recover-command.ts';
import type { Service } from '../service.ts';
import { operationsOf } from './asking.ts';
import { flatBody } from './input.ts';
import { errorAnswers } from './schemas/answers.ts';
import { anyAttackSchema } from './schemas/attack.ts';
import { attackAnswerSchema, planAnswerSchema } from './schemas/injection.ts';

const planSchema = {
  operationId: 'plan',
  summary: 'Exactly what an attack would touch; changes nothing',
  // Not for readers: a plan runs the regular expression of whoever asks over the command lines of the host.
  description: 'A dry run: the same body as an attack, and the same refusals.',
  body: anyAttackSchema,
  response: { 200: planAnswerSchema, ...errorAnswers },
};

const attackSchema = {
  operationId: 'attack',
  summary: 'Attack',
  description:
    'Answers when the attack has taken effect and was verified, or was undone. Sent again with the same `uid`, it is ' +
    'answered with what came of it and nothing happens twice: 201 becomes 200. `shortfall` tells what the result ' +
    'lacks of what was asked for: INJECTION_FAILED when nothing took effect, INJECTION_UNPROVEN when some targets ' +
    'did not do what was asked.',
  body: anyAttackSchema,
  response: {
    200: { ...attackAnswerSchema, 'x-response-description': 'It was there already' },
    201: { ...attackAnswerSchema, 'x-response-description': 'It was made' },
    ...errorAnswers,
  },
};

/** @throws {FaultlineError} ARGUMENT_INVALID, FORBIDDEN */
function attackBodyOf(service: Service, body: unknown): JsonObject {
  const fields = flatBody(body);
  if ('schedule' in fields) {
    throw new FaultlineError('ARGUMENT_INVALID', 'an attack has no schedule', {
      hint: 'to attack again and again: POST /api/v1/schedules with the same body',
    });
  }
  refuseRecoverCommand(service.options, fields);
  return fields;
}

/** When the injection of this uid was made, if there is one. */
function madeAt(service: Service, uid: string): number | undefined {
  try {
    return service.engine.find(uid).record.createdAt;
  } catch (error) {
    if (isFaultlineError(error, 'INJECTION_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** `/plans`, and the making of `/injections`. */
export function attackRoutes(service: Service): FastifyPluginAsync {
  return (app) => {
    app.post('/plans', { config: { role: 'attack' }, schema: planSchema }, async (request) => {
      const asked = await parseAttackBody(attackBodyOf(service, request.body));
      return operationsOf(service, request).plan(asked);
    });
    app.post('/injections', { config: { role: 'attack' }, schema: attackSchema }, async (request, reply) => {
      const body = attackBodyOf(service, request.body);
      const asked = await parseAttackBody(body);
      const before = 'uid' in body ? madeAt(service, asked.uid) : undefined;
      const document = await operationsOf(service, request).attack(asked);
      void reply.header('location', `${app.prefix}/injections/${encodeURIComponent(document.uid)}`);
      return reply.code(before === Date.parse(document.createdAt) ? 200 : 201).send(document);
    });
    return Promise.resolve();
  };
}
