import type { ServerResponse } from 'node:http';
import type { EventFilter, JournalTail } from '../../experiment/tail.ts';
import { type Frame, frameOf } from './frame.ts';
import { isWanted } from './request.ts';

/** How many events are read from the journal at a time for one client that catches up. */
const catchUpSize = 250;

/** How much a connection may hold before it gets no more, in bytes: a burst that most clients take at once. */
const maxHeld = 256 * 1024;

/** How long a client may take to receive the last word, in milliseconds, before its connection is cut. */
const farewellMs = 2_000;

/** The stream of one client. */
export interface EventStream {
  /** Something new is in the journal. */
  offer(frames: readonly Frame[]): void;
  /** A sign of life, where nothing is under way. */
  beat(): void;
  /** End it with a last word. */
  end(comment: string): void;
}

export interface StreamOptions {
  readonly tail: JournalTail;
  readonly filter: EventFilter;
  /** The last event that the client has, and the last that there is. */
  readonly after: number;
  readonly last: number;
  /** How much may come up for a client, in bytes, from when its connection takes no more until it does again. */
  readonly maxWaiting: number;
  /** The client does not read; its connection was cut. */
  onDropped(waiting: number): void;
  /** The journal cannot be read for it; its connection was cut, and it may come again. */
  onFailed(error: unknown): void;
}

/** How far one client is. */
interface Client extends StreamOptions {
  readonly response: ServerResponse;
  /** The last event that it was sent, or that was not for it. */
  position: number;
  /** It is not in step, and reads on from the journal. */
  behind: boolean;
  /** Its connection takes no more at the moment. */
  blocked: boolean;
  /** What has come up for it since, in characters. */
  missed: number;
}

const isOver = ({ response }: Client): boolean => response.destroyed || response.writableEnded;

function send(client: Client, text: string): void {
  const { response } = client;
  if (isOver(client) || response.write(text) || response.writableLength < maxHeld) return;
  client.blocked = true;
  client.behind = true;
  client.missed = 0;
}

/** Send the next events from the journal. @returns is it in step now? */
function catchUp(client: Client): boolean {
  const page = client.tail.read(client.position, client.filter, catchUpSize);
  for (const event of page.events) {
    send(client, frameOf(event).text);
    client.position = event.id;
    if (client.blocked) return false;
  }
  client.position = page.upTo;
  return page.done;
}

function resume(client: Client): void {
  if (isOver(client) || client.blocked || !client.behind) return;
  try {
    client.behind = !catchUp(client);
  } catch (error) {
    client.response.destroy();
    client.onFailed(error);
    return;
  }
  // Others want their turn, too.
  if (client.behind) setImmediate(resume, client);
}

function offer(client: Client, frames: readonly Frame[]): void {
  if (isOver(client)) return;
  for (const { event, text } of frames) {
    if (event.id <= client.position || !isWanted(client.filter, event)) continue;
    if (client.behind) {
      client.missed += text.length;
      continue;
    }
    send(client, text);
    client.position = event.id;
  }
  const waiting = client.missed + client.response.writableLength;
  if (!client.blocked || waiting <= client.maxWaiting) return;
  client.response.destroy();
  client.onDropped(waiting);
}

function end(client: Client, comment: string): void {
  const { response } = client;
  if (client.blocked) {
    response.destroy();
    return;
  }
  const cut = setTimeout(() => response.destroy(), farewellMs);
  response.once('close', () => {
    clearTimeout(cut);
  });
  response.end(`: ${comment}\n\n`);
}

/**
 * Begin to tell one client.
 *
 * A client that is in step gets what is new at once. When its connection takes no more, nothing is kept for it: it
 * falls behind, and reads on from the journal when the connection is free, as one does that resumes. So it costs no
 * more than the connection's buffer, however far behind it is; what comes up for it meanwhile is only counted.
 *
 * @param response with its head sent
 */
export function startStream(response: ServerResponse, options: StreamOptions): EventStream {
  const { after: position, last } = options;
  const client: Client = { ...options, response, position, behind: position < last, blocked: false, missed: 0 };
  response.on('error', () => undefined); // the connection is gone, which `close` tells
  response.on('drain', () => {
    client.blocked = false;
    resume(client);
  });
  resume(client);
  return Object.freeze<EventStream>({
    offer: (frames) => {
      offer(client, frames);
    },
    beat: () => {
      if (!client.blocked) send(client, ':\n\n');
    },
    end: (comment) => {
      end(client, comment);
    },
  });
}
