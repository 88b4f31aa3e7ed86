import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FaultlineError } from '../../base/error.ts';
import { textOf } from '../../base/json.ts';

const windowMs = 1_000;

/** How many callers are counted at a time; beyond that the one who has not asked for longest is forgotten. */
const mostCallers = 5_000;

/** @throws {FaultlineError} TOO_MANY_REQUESTS, with `retry-after` set on the reply */
export type RateLimit = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/**
 * Who a request is counted for: whoever is known to ask, from where. Those who are not known share one count for each
 * address, so that a stranger cannot use up what belongs to a caller.
 */
function callerKey({ caller }: FastifyRequest, address: string): string {
  if (caller === undefined) return `nobody ${address}`;
  const { uid, certificate } = caller.actor;
  return `${caller.role} ${textOf(uid ?? certificate ?? null)} ${address}`;
}

/**
 * A limit of requests a second from one caller. Routes with `config: { rateLimit: false }` have none.
 *
 * Counts begin anew each second, so that at worst twice as many come within one.
 */
export async function rateLimit(app: FastifyInstance, maxRate: number): Promise<RateLimit> {
  const { fastifyRateLimit, normalizeIP } = await import('@fastify/rate-limit');
  await app.register(fastifyRateLimit, { global: false, cache: mostCallers });
  const count = app.createRateLimit({
    max: maxRate,
    timeWindow: windowMs,
    // All addresses of a network of IPv6 are one: whoever has one has them all.
    keyGenerator: (request) => callerKey(request, normalizeIP(request.raw.socket.remoteAddress ?? '')),
  });
  return async (request, reply) => {
    if (request.routeOptions.config.rateLimit === false) return;
    const counted = await count(request);
    if (counted.isAllowed || !counted.isExceeded) return;
    reply.header('retry-after', Math.max(1, counted.ttlInSeconds));
    throw new FaultlineError('TOO_MANY_REQUESTS', `more than ${maxRate} requests within a second`, {
      hint: 'send fewer at a time, and try again after the seconds that Retry-After tells',
    });
  };
}
