import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Requests on one connection that wait for their answers, and the bytes of answers that wait to be read. */
const mostUnanswered = 16;
const mostUnreadBytes = 4 * 1024 * 1024;

/**
 * Cut off who sends request after request on one connection and reads no answer: Node takes them all in, and keeps all
 * answers. To be added before anything else, since it is for those, too, who may not come in.
 */
export function limitPipelining(app: FastifyInstance): void {
  const unanswered = new WeakMap<Socket, number>();
  const count = (socket: Socket, change: number): number => {
    const now = (unanswered.get(socket) ?? 0) + change;
    unanswered.set(socket, now);
    return now;
  };
  app.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    if (count(socket, 1) <= mostUnanswered && socket.writableLength <= mostUnreadBytes) {
      done();
      return;
    }
    reply.hijack();
    socket.destroy();
  });
  app.addHook('onResponse', (request, _reply, done) => {
    count(request.raw.socket, -1);
    done();
  });
}
