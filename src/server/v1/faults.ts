import type { FastifyPluginAsync } from 'fastify';
import type { JsonObject } from '../../base/json.ts';
import type { FaultDescriptor } from '../../faults/fault.ts';
import { faultOf, faults } from '../../faults/registry.ts';
import { published } from '../openapi/published.ts';
import { errorAnswers } from './schemas/answers.ts';
import { attackBodySchema } from './schemas/attack.ts';
import { faultSchema, faultsAnswerSchema } from './schemas/host.ts';

/** What a fault can do, and how it is asked for. */
interface FaultDocument {
  readonly kind: string;
  readonly summary: string;
  readonly actions: readonly {
    readonly action: string;
    readonly summary: string;
    readonly details: readonly string[];
    readonly examples: readonly { readonly command: string; readonly does: string }[];
    readonly schema: JsonObject;
  }[];
}

const listSchema = {
  operationId: 'listFaults',
  summary: 'All that can be done, and how it is asked for',
  response: { 200: faultsAnswerSchema, ...errorAnswers },
};

const findSchema = {
  operationId: 'findFault',
  summary: 'What one fault can do, and how it is asked for',
  response: { 200: faultSchema, ...errorAnswers },
};

function faultDocument({ kind, summary, actions }: FaultDescriptor): FaultDocument {
  return {
    kind,
    summary,
    actions: Object.entries(actions).map(([action, descriptor]) => ({
      action,
      summary: descriptor.summary,
      details: descriptor.details,
      examples: descriptor.examples,
      schema: published(attackBodySchema(kind, action, descriptor)),
    })),
  };
}

/** `/faults`. */
export const faultRoutes: FastifyPluginAsync = (app) => {
  app.get('/faults', { config: { role: 'read' }, schema: listSchema }, () =>
    Promise.resolve({ items: faults.map(faultDocument) }),
  );
  app.get('/faults/:kind', { config: { role: 'read' }, schema: findSchema }, (request) => {
    const { kind } = request.params as { readonly kind: string };
    return Promise.resolve(faultDocument(faultOf(kind)));
  });
  return Promise.resolve();
};
