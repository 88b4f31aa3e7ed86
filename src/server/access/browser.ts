import { isIP } from 'node:net';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';

/** What of a request tells whether a web page has sent it. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** `[::1]:31767` → `::1`; undefined for what is no host with an optional port. */
function hostName(authority: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([^[\]:]+))(?::\d{1,5})?$/.exec(authority) ?? [];
  return (bracketed ?? plain)?.toLowerCase();
}

function refuse(sentence: string): never {
  throw new FaultlineError('FORBIDDEN', sentence, {
    hint: 'call the service with a program of your own, as curl, and not from a web page',
  });
}

/** A header as one text; one that came several times is none that a browser has sent. */
function one(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' || value === undefined ? value : value.join(', ');
}

/**
 * Refuse what a web page has sent that is not the service's own. Browsers let every page send requests to 127.0.0.1, in
 * the name of whoever looks at it.
 *
 * - `Origin` (RFC 6454) comes with each request that can change something; it must be the service's.
 * - `Sec-Fetch-Site` (Fetch Metadata) also tells of those that come without an origin.
 *
 * @param encrypted whether the request came over TLS
 * @throws {FaultlineError} FORBIDDEN
 */
export function refuseForeignPages(headers: Headers, encrypted: boolean): void {
  const origin = one(headers, 'origin');
  const own = `${encrypted ? 'https' : 'http'}://${one(headers, 'host') ?? ''}`.toLowerCase();
  if (origin !== undefined && origin.toLowerCase() !== own) {
    refuse(`requests of web pages of ${printable(origin.slice(0, 100))} are not answered`);
  }
  const site = one(headers, 'sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    refuse('requests of other web pages are not answered');
  }
}

/**
 * Refuse a `Host` that is a name other than those given. A page whose own name leads to 127.0.0.1 (DNS rebinding) is
 * of the same origin as the service to the browser, but its name still stands in `Host`.
 *
 * It matters where a connection alone is enough to be let in: such a page has neither a token nor, since the name is
 * not that of the service's certificate, a client certificate to show.
 *
 * @param names beside `localhost` and IP addresses; in lower case
 * @throws {FaultlineError} FORBIDDEN
 */
export function refuseForeignNames(headers: Headers, names: readonly string[]): void {
  const authority = one(headers, 'host');
  // HTTP/1.0 needs none, and browsers always send one.
  if (authority === undefined) return;
  const name = hostName(authority);
  if (name === undefined || (isIP(name) === 0 && name !== 'localhost' && !names.includes(name))) {
    throw new FaultlineError('FORBIDDEN', `this service is not ${printable(authority.slice(0, 100))}`, {
      hint: 'call it by its address, as 127.0.0.1, or as localhost',
    });
  }
}
