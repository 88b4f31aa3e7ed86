import type { FastifyPluginAsync } from 'fastify';
import { deathDocument } from '../../api/death-documents.ts';
import { FaultlineError } from '../../base/error.ts';
import { parseInput } from '../../base/schema.ts';
import { array, integer, object, optional, string } from '../../base/schema-types.ts';
import { openStream } from '../events/open-stream.ts';
import { startOf } from '../events/request.ts';
import type { Service } from '../service.ts';
import { parseQuery } from '../v1/input.ts';
import { errorAnswers } from '../v1/schemas/answers.ts';
import { facts, named, nullable, oneOf } from '../v1/schemas/words.ts';
import { startDeathStream } from './stream.ts';

const deathsQuery = object(
  {
    pid: optional(integer({ description: 'Only of this PID, as the host sees it', minimum: 1, maximum: 4_194_304 })),
    name: optional(string({ description: 'Only of this name, as the kernel has it', maxLength: 15 })),
    limit: optional(integer({ description: 'At most so many', minimum: 1, maximum: 10_000, default: 50 })),
  },
  { additionalProperties: false },
);

const streamQuery = object(
  {
    after: optional(
      string({
        description: 'Begin after the death of this id; the header Last-Event-ID goes before it. Without both: now',
        pattern: '^[0-9]{1,15}$',
      }),
    ),
  },
  { additionalProperties: false },
);

const watchingSchema = named('DeathWatch', 'How deaths are watched', {
  source: oneOf(['bpf', 'tracefs', 'proc-connector'], 'What tells of them'),
  cannot: array(string(), { description: 'What it cannot tell' }),
  refused: array(object({ kind: string(), why: string() }), { description: 'What would tell more' }),
  dropped: integer({ description: 'How many events were lost since the service runs' }),
});

const listSchema = {
  operationId: 'deaths',
  summary: 'Who died on this host, and why; the newest first',
  querystring: deathsQuery,
  response: {
    200: named('Deaths', 'The last deaths', {
      watching: nullable(watchingSchema),
      items: array(facts('One death: who, how, who sent the signal, which injection it was')),
    }),
    ...errorAnswers,
  },
};

const streamSchema = {
  operationId: 'deathEvents',
  summary: 'Hear of every death, as it happens (server-sent events)',
  description:
    'Events are of the types death, restart, dropped and forgotten; a death has an id. After a lost connection the ' +
    'header Last-Event-ID resumes without loss, as far as the last 10,000 deaths go; forgotten tells how many are ' +
    'not kept any more.',
  querystring: streamQuery,
  response: {
    200: {
      description: 'Events without end: id, event (the type), data (one line of JSON)',
      content: { 'text/event-stream': { schema: string() } },
    },
  },
};

const maxStreams = 50;

/**
 * `/deaths` and `/deaths/events`. They tell command lines of all users, so they are not for those who may only read.
 */
export function deathRoutes({ engine, deaths: recorder, log }: Service): FastifyPluginAsync {
  return (app) => {
    const streams = new Set<() => void>();
    app.setValidatorCompiler(() => () => true); // the schemas are for the documentation
    app.setSerializerCompiler(() => (document) => JSON.stringify(document));
    app.addHook('preClose', () => {
      for (const end of streams) end();
      return Promise.resolve();
    });
    app.get('/deaths', { config: { role: 'attack' }, schema: listSchema }, async (request, reply) => {
      const { pid, name, limit = 50 } = await parseQuery(deathsQuery, request.query);
      const query = { ...(pid === undefined ? {} : { pid }), ...(name === undefined ? {} : { name }) };
      void reply.header('cache-control', 'no-store');
      return { watching: recorder.status(), items: engine.deaths(query, limit).map(deathDocument) };
    });
    app.get(
      '/deaths/events',
      { config: { role: 'attack', endless: true }, exposeHeadRoute: false, schema: streamSchema },
      async (request, reply) => {
        const query = await parseInput(streamQuery, request.query);
        const after = startOf(
          query.after === undefined ? {} : { after: query.after },
          request.headers['last-event-id'],
        );
        if (streams.size >= maxStreams) {
          throw new FaultlineError('TOO_MANY_REQUESTS', `there are ${streams.size} streams of deaths already`);
        }
        const [last] = engine.deaths({}, 1);
        const response = openStream(reply);
        const end = startDeathStream(response, {
          engine,
          recorder,
          // Whoever has more than there is has it from another journal.
          after: Math.min(after ?? Number.MAX_SAFE_INTEGER, last?.id ?? 0),
          onFailed: (error) => {
            log.error({ err: error }, 'the journal cannot be read for a stream of deaths');
          },
        });
        streams.add(end);
        response.once('close', () => streams.delete(end));
        return reply;
      },
    );
    return Promise.resolve();
  };
}
