import type { IncomingMessage } from 'node:http';

/*
 * Server-sent events as services of Faultline write them:
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */

export interface HeardEvent {
  readonly type: string;
  /** Where to go on from after a lost connection; undefined: it has none. */
  readonly id: string | undefined;
  /** What it tells, as JSON has it; undefined: it is no JSON. */
  readonly data: unknown;
}

export interface EventListener {
  heard(event: HeardEvent): void;
  /** Nothing more will be heard. */
  ended(): void;
}

/** No event is longer, in characters: more is no stream of ours. */
const mostHeld = 4 * 1_048_576;

/** A service gives a sign of life every 15 s; after so long without one it is gone, in milliseconds. */
const silenceMs = 60_000;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One event, from the lines between two empty ones; undefined: a comment, or nothing. */
export function parseEvent(text: string): HeardEvent | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    fields.set(name, value);
  }
  const data = fields.get('data');
  if (data === undefined) return undefined;
  return { type: fields.get('event') ?? 'message', id: fields.get('id'), data: parsed(data) };
}

/** Tell a listener of each event of an answer, until it ends. */
export function hearEvents(answer: IncomingMessage, listener: EventListener): void {
  let rest = '';
  answer.setEncoding('utf8').on('data', (piece: string) => {
    const parts = (rest + piece).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const event = parseEvent(part);
      if (event !== undefined) listener.heard(event);
    }
    if (rest.length > mostHeld) answer.destroy();
  });
  answer.setTimeout(silenceMs, () => {
    answer.destroy();
  });
  answer.on('error', () => undefined); // followed by `close`
  answer.once('close', () => {
    listener.ended();
  });
}
