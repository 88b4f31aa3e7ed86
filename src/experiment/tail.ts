import { type EventFilter, eventsAfter, type JournalEvent, lastEventId } from '../store/events.ts';
import type { Store } from '../store/store.ts';

export type { EventFilter, JournalEvent } from '../store/events.ts';

/** How often the journal is looked at for what other processes have written, in milliseconds. */
const pollMs = 100;

/** How many lines one reading looks through and how many it gives out at most, so that no reading takes long. */
const windowSize = 5_000;
const pageSize = 1_000;

/** A part of the timeline. */
export interface TailPage {
  readonly events: readonly JournalEvent[];
  /** The line up to which everything that the filter lets through is in `events`: read on after it. */
  readonly upTo: number;
  /** Nothing was there after it at that moment. */
  readonly done: boolean;
}

export interface TailListener {
  /** New lines, in their order, each once, whichever process has written them. Must not throw. */
  heard(events: readonly JournalEvent[]): void;
  /** The journal could not be read. It is tried again, and nothing is lost. */
  failed(error: unknown): void;
}

/** The end of the journal's timeline, which this process and others write to. */
export interface JournalTail {
  /** The last line's number; 0 where there is none. */
  lastId(): number;
  /** Lines after this one, at most so many. @throws {FaultlineError} STATE_… */
  read(after: number, filter?: EventFilter, limit?: number): TailPage;
  /** Hear of every line that is written from now on. @returns ends it */
  listen(listener: TailListener): () => void;
  /** There may be something new: look soon, rather than at the next turn. */
  nudge(): void;
  close(): void;
}

function readPage(store: Store, after: number, filter: EventFilter, limit: number): TailPage {
  const last = lastEventId(store);
  const end = Math.min(after + windowSize, last);
  const events = end > after ? eventsAfter(store, { after, upTo: end, limit }, filter) : [];
  const upTo = events.length === limit ? (events.at(-1)?.id ?? end) : Math.max(after, end);
  return { events, upTo, done: upTo >= last };
}

/**
 * One look-out for all who listen, which rests while nobody does.
 *
 * It looks whether there is a greater number, ten times a second and after every write of this process. SQLite could
 * tell that other processes have changed anything (`PRAGMA data_version`), which costs three times as much.
 */
export function journalTail(store: Store): JournalTail {
  const listeners = new Set<TailListener>();
  let position = 0;
  let timer: NodeJS.Timeout | undefined;
  let soon: NodeJS.Immediate | undefined;

  function look(): void {
    soon = undefined;
    let page: TailPage;
    try {
      page = readPage(store, position, {}, pageSize);
    } catch (error) {
      for (const listener of listeners) listener.failed(error);
      return;
    }
    position = page.upTo;
    if (page.events.length > 0) for (const listener of listeners) listener.heard(page.events);
    if (!page.done) nudge();
  }
  function nudge(): void {
    if (listeners.size > 0) soon ??= setImmediate(look);
  }
  function rest(): void {
    clearInterval(timer);
    clearImmediate(soon);
    soon = undefined;
  }
  return Object.freeze<JournalTail>({
    lastId: () => lastEventId(store),
    read: (after, filter = {}, limit = pageSize) => readPage(store, after, filter, Math.min(limit, pageSize)),
    listen: (listener) => {
      if (listeners.size === 0) {
        position = lastEventId(store);
        timer = setInterval(look, pollMs).unref();
      }
      listeners.add(listener);
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) rest();
      };
    },
    nudge,
    close: () => {
      listeners.clear();
      rest();
    },
  });
}
