import type { ServerResponse } from 'node:http';
import { FaultlineError } from '../../base/error.ts';
import type { JournalEvent } from '../../experiment/tail.ts';
import type { Service } from '../service.ts';
import { frameOf } from './frame.ts';
import type { StreamRequest } from './request.ts';
import { type EventStream, startStream } from './stream.ts';

/** Hears of clients that come and go. */
export interface StreamWatch {
  opened(): void;
  /** In whichever way. */
  closed(): void;
  /** It did not read; told before `closed`. */
  dropped(): void;
}

export interface HubOptions {
  readonly maxStreams: number;
  /** How much may wait for a client that does not read before it is dropped, in bytes. */
  readonly maxWaiting: number;
  readonly heartbeatMs: number;
}

export const hubDefaults: HubOptions = Object.freeze({
  maxStreams: 200,
  maxWaiting: 1024 * 1024,
  heartbeatMs: 15_000,
});

/** All clients that hear events. */
export interface EventHub {
  /**
   * Tell one more client until either side ends it.
   *
   * @param open sends the head of the answer
   * @throws {FaultlineError} TOO_MANY_REQUESTS, STATE_…: before anything was sent
   */
  add(request: StreamRequest, open: () => ServerResponse): void;
  /** End all streams with a last word. */
  end(): void;
}

/** What keeps the streams going: the journal's news and a heartbeat, while there is anybody to tell. */
interface Drive {
  start(): void;
  rest(): void;
  /** The journal could not be read. */
  failed(error: unknown): void;
}

function driveOf({ engine, log }: Service, streams: ReadonlySet<EventStream>, heartbeatMs: number): Drive {
  let stopListening: (() => void) | undefined;
  let heartbeat: NodeJS.Timeout | undefined;
  let trouble: string | undefined;

  function heard(events: readonly JournalEvent[]): void {
    trouble = undefined;
    const frames = events.map(frameOf);
    for (const stream of streams) stream.offer(frames);
  }
  function failed(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    // It is tried again ten times a second: once is enough.
    if (message !== trouble) log.error({ err: error }, 'the journal cannot be read for the event streams');
    trouble = message;
  }
  return Object.freeze<Drive>({
    start: () => {
      stopListening ??= engine.tail.listen({ heard, failed });
      heartbeat ??= setInterval(() => {
        for (const stream of streams) stream.beat();
      }, heartbeatMs).unref();
    },
    rest: () => {
      stopListening?.();
      stopListening = undefined;
      clearInterval(heartbeat);
      heartbeat = undefined;
    },
    failed,
  });
}

export function eventHub(service: Service, watch: StreamWatch, options: HubOptions): EventHub {
  const { log } = service;
  const { tail } = service.engine;
  const streams = new Set<EventStream>();
  const drive = driveOf(service, streams, options.heartbeatMs);

  function refuseTooMany(): void {
    if (streams.size < options.maxStreams) return;
    throw new FaultlineError('TOO_MANY_REQUESTS', `there are ${streams.size} event streams already`, {
      hint: 'end some that nobody needs, or try again later',
    });
  }
  function dropped(waiting: number): void {
    log.warn({ waiting }, 'an event stream was dropped: its client does not read');
    watch.dropped();
  }
  function add(request: StreamRequest, open: () => ServerResponse): void {
    refuseTooMany();
    // In this order: what is written in between is heard, and not twice, since the stream goes by the numbers.
    drive.start();
    const last = tail.lastId();
    const response = open();
    const stream = startStream(response, {
      tail,
      filter: request.filter,
      // Whoever has more than there is has it from another journal.
      after: Math.min(request.after ?? last, last),
      last,
      maxWaiting: options.maxWaiting,
      onDropped: dropped,
      onFailed: (error) => {
        drive.failed(error);
      },
    });
    streams.add(stream);
    watch.opened();
    response.once('close', () => {
      streams.delete(stream);
      watch.closed();
      if (streams.size === 0) drive.rest();
    });
  }
  return Object.freeze<EventHub>({
    add,
    end: () => {
      for (const stream of streams) stream.end('the service stops');
    },
  });
}
