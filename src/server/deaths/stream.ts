import type { ServerResponse } from 'node:http';
import type { Engine } from '../../experiment/engine.ts';
import { deathDocument } from '../../api/death-documents.ts';
import type { DeathRecorder } from './recorder.ts';
import { type Json, toJson } from '../../base/json.ts';

/** How much a connection may hold before it gets no more, in bytes; it reads on from the journal when it is free. */
const maxHeld = 256 * 1024;

const pageSize = 250;
const heartbeatMs = 15_000;

/** One event as it goes over the wire. JSON has no line breaks, which would end a field. */
function frame(type: string, data: Json, id?: number): string {
  const head = id === undefined ? '' : `id: ${id}\n`;
  return `${head}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

export interface DeathStreamParts {
  readonly engine: Engine;
  readonly recorder: DeathRecorder;
  /** The last death that the client has. */
  readonly after: number;
  /** It cannot be told any more; its connection was cut. */
  onFailed(error: unknown): void;
}

/** Tell one client of deaths until either side ends it. @returns ends it */
export function startDeathStream(response: ServerResponse, parts: DeathStreamParts): () => void {
  const { engine, recorder } = parts;
  let position = parts.after;
  const isBlocked = (): boolean => response.destroyed || response.writableEnded || response.writableLength >= maxHeld;

  function send(text: string): void {
    if (!response.destroyed && !response.writableEnded) response.write(text);
  }
  function readOn(): void {
    try {
      while (!isBlocked()) {
        const page = engine.deaths({ after: position }, pageSize);
        // Only the last deaths are kept: whoever comes back late, or reads slowly, is told how many he will miss.
        const forgotten = (page[0]?.id ?? position + 1) - position - 1;
        if (forgotten > 0) send(frame('forgotten', { deaths: forgotten }));
        for (const death of page) send(frame('death', deathDocument(death), death.id));
        position = page.at(-1)?.id ?? position;
        if (page.length < pageSize) return;
      }
    } catch (error) {
      response.destroy();
      parts.onFailed(error);
    }
  }
  const stopListening = recorder.listen({
    written: readOn,
    restarted: (restart) => {
      if (!isBlocked()) send(frame('restart', toJson(restart)));
    },
    dropped: (events, total) => {
      send(frame('dropped', { events, total }));
    },
  });
  const heartbeat = setInterval(() => {
    if (!isBlocked()) send(':\n\n');
  }, heartbeatMs).unref();
  response.on('error', () => undefined); // the connection is gone, which `close` tells
  response.on('drain', readOn);
  response.once('close', () => {
    clearInterval(heartbeat);
    stopListening();
  });
  readOn();
  return () => {
    send(': the service stops\n\n');
    response.end();
  };
}
