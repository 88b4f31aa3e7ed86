import { Readable } from 'node:stream';
import type { FastifyPluginAsync, FastifyReply, RouteShorthandOptions } from 'fastify';
import { boolean, integer, object, optional, string } from '../../base/schema-types.ts';
import type { Service } from '../service.ts';
import { errorAnswers } from './errors.ts';
import { jsonText, readListing, rowsOf, runsOf } from './listing.ts';
import { rowsSchema, runsSchema } from './rows.ts';

const listingSchema = object({
  launch_mode: optional(string({ description: 'svr: through the service; cmd: by a command' })),
  status: optional(string({ description: 'created, success, error, scheduled or destroyed' })),
  kind: optional(string()),
  action: optional(string()),
  asc: optional(boolean({ description: 'The oldest first' })),
  offset: optional(integer({ minimum: 0 })),
  limit: optional(integer({ minimum: 0, description: '0 is no limit, as is none' })),
});

type Query = Readonly<Record<string, unknown>>;

/** However long the list is, it is never whole in memory; what goes wrong before its beginning is told as an error. */
function sendList(reply: FastifyReply, rows: AsyncIterable<object>): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(Readable.from(jsonText(rows)));
}

/** `/experiments/…`: what was injected here. */
export function experimentRoutes(service: Service): FastifyPluginAsync {
  return (app) => {
    const listOptions: RouteShorthandOptions = {
      config: { role: 'read' },
      schema: {
        tags: ['chaosd'],
        summary: 'Attacks and schedules',
        querystring: listingSchema,
        response: { 200: rowsSchema, ...errorAnswers },
      },
    };
    const list = (query: Query, reply: FastifyReply): FastifyReply =>
      sendList(reply, rowsOf(service.engine, readListing(query)));
    app.get<{ Querystring: Query }>('/experiments/', listOptions, ({ query }, reply) => list(query, reply));
    // chaosd sends whoever forgets the slash on to it; not every client follows.
    app.get<{ Querystring: Query }>(
      '/experiments',
      { ...listOptions, schema: { ...listOptions.schema, hide: true } },
      ({ query }, reply) => list(query, reply),
    );
    app.get<{ Params: { uid: string } }>(
      '/experiments/:uid/runs',
      {
        config: { role: 'read' },
        schema: {
          tags: ['chaosd'],
          summary: 'The runs of a schedule, or the one of an attack',
          params: object({ uid: string() }),
          response: { 200: runsSchema, ...errorAnswers },
        },
      },
      ({ params }, reply) => sendList(reply, runsOf(service.engine, params.uid)),
    );
    return Promise.resolve();
  };
}
