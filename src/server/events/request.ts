import { FaultlineError } from '../../base/error.ts';
import { object, optional, type Static, string } from '../../base/schema-types.ts';
import { printable } from '../../base/text.ts';
import { isKept, keptEventTypes } from '../../experiment/events.ts';
import type { EventFilter, JournalEvent } from '../../experiment/tail.ts';

export const eventsQuery = object(
  {
    uid: optional(
      string({ description: 'Only events of this injection', pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$' }),
    ),
    kind: optional(string({ description: 'Only events of faults of this kind', pattern: '^[a-z][a-z-]{0,63}$' })),
    type: optional(
      string({
        description: 'Only events of these types, separated by commas',
        pattern: '^[a-z][a-z.-]{0,63}(,[a-z][a-z.-]{0,63}){0,31}$',
      }),
    ),
    after: optional(
      string({
        description: 'Begin after the event of this id; the header Last-Event-ID goes before it. Without both: now',
        pattern: '^[0-9]{1,15}$',
      }),
    ),
  },
  { additionalProperties: false },
);

type EventsQuery = Static<typeof eventsQuery>;

/** What a client wants to hear. */
export interface StreamRequest {
  readonly filter: EventFilter;
  /** The last event that it has; undefined: it begins now. */
  readonly after: number | undefined;
}

/**
 * The header is what a browser sends when it connects again, to the same URL: it knows better than the URL.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID
 */
export function startOf(
  query: Pick<EventsQuery, 'after'>,
  lastEventId: string | readonly string[] | undefined,
): number | undefined {
  const inQuery = query.after === undefined ? undefined : Number(query.after);
  if (lastEventId === undefined || lastEventId === '') return inQuery;
  if (typeof lastEventId === 'string' && /^[0-9]{1,15}$/.test(lastEventId)) return Number(lastEventId);
  const given = printable(String(lastEventId).slice(0, 80));
  throw new FaultlineError('ARGUMENT_INVALID', `the header Last-Event-ID is not valid: ${given}`, {
    hint: 'it is the id of an event, a whole number',
  });
}

/** @throws {FaultlineError} ARGUMENT_INVALID */
export function streamRequest(query: EventsQuery, lastEventId: string | readonly string[] | undefined): StreamRequest {
  const { uid, kind, type } = query;
  const unknown = type?.split(',').find((one) => !isKept(one));
  if (unknown !== undefined) {
    throw new FaultlineError('ARGUMENT_INVALID', `there is no event of the type ${printable(unknown)}`, {
      hint: `there is: ${keptEventTypes.join(', ')}`,
    });
  }
  return {
    filter: {
      ...(uid === undefined ? {} : { uid }),
      ...(kind === undefined ? {} : { kind }),
      ...(type === undefined ? {} : { types: type.split(',') }),
    },
    after: startOf(query, lastEventId),
  };
}

/** The same as the filter does in the journal, for an event that was read already. */
export function isWanted({ uid, kind, types }: EventFilter, event: JournalEvent): boolean {
  return (
    (uid === undefined || event.uid === uid) &&
    (kind === undefined || event.kind === kind) &&
    (types === undefined || types.includes(event.type))
  );
}
