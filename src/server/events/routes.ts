import type { FastifyPluginAsync } from 'fastify';
import { parseInput } from '../../base/schema.ts';
import { string } from '../../base/schema-types.ts';
import type { Service } from '../service.ts';
import { eventHub, hubDefaults, type HubOptions, type StreamWatch } from './hub.ts';
import { openStream } from './open-stream.ts';
import { eventsQuery, streamRequest } from './request.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Its answer goes on until one side ends it: how long that takes says nothing about the service. */
    endless?: boolean;
  }
}

const nobodyWatches: StreamWatch = { opened: () => undefined, closed: () => undefined, dropped: () => undefined };

const schema = {
  tags: ['events'],
  summary: 'Hear of everything that happens, as it happens (server-sent events)',
  description:
    'One event for each line of the journal, whichever process has written it. After a lost connection ' +
    'the header Last-Event-ID resumes without loss.',
  querystring: eventsQuery,
  response: {
    200: {
      description: 'Events without end: id, event (the type), data (one line of JSON)',
      content: { 'text/event-stream': { schema: string() } },
    },
  },
};

/**
 * `/events`: server-sent events.
 *
 * @param options for tests; what is left out is as usual
 */
export function eventRoutes(
  service: Service,
  watch: StreamWatch = nobodyWatches,
  options: Partial<HubOptions> = {},
): FastifyPluginAsync {
  return (app) => {
    const hub = eventHub(service, watch, { ...hubDefaults, ...options });
    app.setValidatorCompiler(() => () => true); // the schema is for the documentation; what is asked is read below
    app.addHook('preClose', () => {
      hub.end();
      return Promise.resolve();
    });
    app.get(
      '/events',
      { config: { role: 'read', endless: true }, exposeHeadRoute: false, schema },
      async (request, reply) => {
        const wanted = streamRequest(await parseInput(eventsQuery, request.query), request.headers['last-event-id']);
        hub.add(wanted, () => openStream(reply));
        request.log.info({ ...wanted, address: request.raw.socket.remoteAddress ?? null }, 'an event stream begins');
        return reply;
      },
    );
    return Promise.resolve();
  };
}
