import type { FastifyRequest } from 'fastify';
import type { Operations } from '../../api/operations.ts';
import type { Service } from '../service.ts';

/** What the caller of a request asks for is done in the caller's name; the audit log tells the request's ID as well. */
export function operationsOf(service: Service, { caller, id }: FastifyRequest): Operations {
  const asking = caller && { ...caller, actor: { ...caller.actor, request: id } };
  return service.operationsFor(asking);
}
