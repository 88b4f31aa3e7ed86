import type { JsonObject } from '../base/json.ts';
import { bootTimeMs } from '../linux/clock.ts';
import { insertEvent } from '../store/events.ts';
import type { Store } from '../store/store.ts';
import type { EngineEvent, EventType, Observer, PassingEventType } from './events.ts';

/** The injection an event belongs to. */
export interface Subject {
  readonly id: number;
  readonly uid: string;
}

export type Recorder = (subject: Subject | null, type: EventType, data?: JsonObject) => void;

/** The one way to change the journal: changes and the events that tell of them are one transaction. */
export interface Timeline {
  /**
   * Run `body` as one durable transaction, which may share its commit with others. What it records goes into the
   * journal with it and is told to the observer after the commit: nobody ever hears of what a crash could take back.
   *
   * @param step names the write, for observers: `intend`, `settle`, …
   */
  write<Result>(step: string, body: (record: Recorder) => Result): Promise<Result>;
  /** Tell without writing. */
  tell(uid: string | null, type: PassingEventType, data: JsonObject): void;
}

export function timelineOver(store: Store, observe: Observer): Timeline {
  function make(uid: string | null, type: EventType, data: JsonObject): EngineEvent {
    return Object.freeze({ uid, type, data, at: Date.now(), bootMs: bootTimeMs() });
  }
  function tell(uid: string | null, type: PassingEventType, data: JsonObject): void {
    observe(make(uid, type, data));
  }
  async function write<Result>(step: string, body: (record: Recorder) => Result): Promise<Result> {
    const events: EngineEvent[] = [];
    tell(null, 'writing', { step });
    const sinceMs = performance.now();
    const result = await store.write(() =>
      body((subject, type, data = {}) => {
        const event = make(subject?.uid ?? null, type, data);
        insertEvent(store, subject?.id ?? null, event);
        events.push(event);
      }),
    );
    tell(null, 'written', { step, ms: performance.now() - sinceMs });
    for (const event of events) observe(event);
    return result;
  }
  return Object.freeze({ write, tell });
}
