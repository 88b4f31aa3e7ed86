import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { randomUuid } from '../linux/random-uuid.ts';

const header = 'x-request-id';

/** What may go into a log line and an audit entry as it is. */
const acceptable = /^[\w.-]{1,64}$/;

/** By this a client finds its request again in the log and the audit log: the ID that it sent, or a new one. */
function requestIdOf({ headers }: { readonly headers: IncomingHttpHeaders }): string {
  const given = headers[header];
  return typeof given === 'string' && acceptable.test(given) ? given : randomUuid();
}

/** Give each request its ID, and tell it in the answer, whatever the answer is. */
export function identifyRequests(app: FastifyInstance): void {
  app.setGenReqId(requestIdOf);
  app.addHook('onRequest', (request, reply, done) => {
    reply.header(header, request.id);
    done();
  });
}
