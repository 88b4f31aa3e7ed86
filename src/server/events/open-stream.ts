import type { FastifyReply } from 'fastify';

/** How soon a client that lost its connection should come again, in milliseconds. */
const retryMs = 2_000;

/** Answer with the head of a stream, past Fastify, which has nothing to do with it from here on. */
export function openStream(reply: FastifyReply): FastifyReply['raw'] {
  reply.headers({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no', // a proxy that collects answers would collect for ever
  });
  const headers = reply.getHeaders();
  reply.hijack();
  const response = reply.raw;
  response.shouldKeepAlive = false; // when the stream is over, so is its connection
  response.socket?.setTimeout(0);
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
  response.writeHead(200);
  response.write(`retry: ${retryMs}\n\n`);
  return response;
}
