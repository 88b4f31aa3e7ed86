import type { EventDocument } from '../../api/documents.ts';
import type { JournalEvent } from '../../experiment/tail.ts';
import { forReaders } from '../redaction.ts';

/** One line of the journal as the stream tells it. */
export interface StreamedEvent extends EventDocument {
  /** Ascending, without gaps over the whole journal. */
  readonly id: number;
  /** The injection's; null where it belongs to none, as with a halt. */
  readonly uid: string | null;
  readonly kind: string | null;
  readonly action: string | null;
}

function streamedEvent(event: JournalEvent): StreamedEvent {
  const { id, uid, kind, action, at, bootMs, type, data } = event;
  return { id, uid, kind, action, at: new Date(at).toISOString(), bootMs, type, data: forReaders(data) };
}

/** One event as it goes over the wire. */
export interface Frame {
  readonly event: JournalEvent;
  /** The fields of the event stream format (HTML standard, 9.2.5), with the empty line that ends them. */
  readonly text: string;
}

/** JSON has no line breaks, which would end a field: `JSON.stringify` escapes those inside of texts. */
export function frameOf(event: JournalEvent): Frame {
  const data = JSON.stringify(streamedEvent(event));
  return { event, text: `id: ${event.id}\nevent: ${event.type}\ndata: ${data}\n\n` };
}
