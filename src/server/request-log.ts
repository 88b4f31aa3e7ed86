import type { FastifyInstance } from 'fastify';

/**
 * One line of the log for each answer: what was asked, by whom, with what status, and how long it took. No bodies and
 * no headers, where secrets are, and no query, where some people put them.
 */
export function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const [path] = request.url.split('?', 1);
    const { caller } = request;
    request.log.info(
      {
        method: request.method,
        path,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        role: caller?.role ?? null,
        user: caller?.actor['user'] ?? null,
        address: request.raw.socket.remoteAddress ?? null,
      },
      'answered',
    );
    done();
  });
}
