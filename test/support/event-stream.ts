import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { afterEach } from 'vitest';

/** One event as it came over the wire. */
export interface HeardEvent {
  readonly id: number;
  readonly type: string;
  readonly data: {
    readonly id: number;
    readonly uid: string | null;
    readonly kind: string | null;
    readonly action: string | null;
    readonly at: string;
    readonly bootMs: number;
    readonly type: string;
    readonly data: Readonly<Record<string, unknown>>;
  };
}

/** A client of the event stream, which reads unless it is told not to. */
export interface Hearing {
  readonly status: number;
  readonly response: IncomingMessage;
  readonly events: readonly HeardEvent[];
  /** Lines that begin with a colon, without it. */
  readonly comments: readonly string[];
  /** All that came, as it came. */
  text(): string;
  /** Has the connection ended, in whichever way? */
  closed(): boolean;
  close(): void;
}

const open = new Set<ClientRequest>();

afterEach(() => {
  for (const request of open) request.destroy();
  open.clear();
});

function fieldsOf(block: string): ReadonlyMap<string, string> {
  return new Map(
    block.split('\n').map((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
}

function read(block: string, events: HeardEvent[], comments: string[]): void {
  if (block.startsWith(':')) {
    comments.push(block.slice(1).trim());
    return;
  }
  const fields = fieldsOf(block);
  const data = fields.get('data');
  if (data === undefined) return;
  const parsed = JSON.parse(data) as HeardEvent['data'];
  events.push({ id: Number(fields.get('id')), type: fields.get('event') ?? '', data: parsed });
}

/**
 * Connect and hear events.
 *
 * @param reads `false`: it takes nothing from its connection
 */
export async function hear(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  reads = true,
): Promise<Hearing> {
  const request = get(url, { headers, agent: false });
  open.add(request);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const events: HeardEvent[] = [];
  const comments: string[] = [];
  let text = '';
  let rest = '';
  let closed = false;
  response.on('close', () => {
    closed = true;
  });
  response.on('error', () => undefined); // it was cut off, which `closed` tells
  request.on('error', () => undefined);
  if (reads) {
    response.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      const blocks = (rest + piece).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) read(block, events, comments);
    });
  }
  return Object.freeze<Hearing>({
    status: response.statusCode ?? 0,
    response,
    events,
    comments,
    text: () => text,
    closed: () => closed,
    close: () => {
      request.destroy();
    },
  });
}
