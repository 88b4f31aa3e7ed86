import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

/** An answer of the service, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** What the text says as JSON; undefined where it is none. */
  readonly body: unknown;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function headersOf(received: IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(received)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  return headers;
}

/**
 * One request, on a connection of its own. Objects are sent as JSON; a redirect is not followed.
 * Not by `fetch`: that of some releases of Node.js throws where nobody can catch it, when an answer ends with its
 * connection before all of it was read (https://github.com/nodejs/undici/issues/5360).
 */
export function request(
  method: string,
  url: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
): Promise<Answer> {
  const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const asked = httpRequest(url, {
      method,
      agent: false,
      headers: {
        ...(sent === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) }),
        ...headers,
      },
    });
    asked.once('error', reject);
    asked.once('response', (answer) => {
      buffer(answer).then((received) => {
        const text = (answer.headers['content-encoding'] === 'gzip' ? gunzipSync(received) : received).toString();
        resolve({ status: answer.statusCode ?? 0, headers: headersOf(answer.headers), text, body: parsed(text) });
      }, reject);
    });
    asked.end(sent);
  });
}

export const get = (url: string, headers?: Readonly<Record<string, string>>): Promise<Answer> =>
  request('GET', url, undefined, headers);

export const post = (url: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer> =>
  request('POST', url, body, headers);

export const del = (url: string, headers?: Readonly<Record<string, string>>): Promise<Answer> =>
  request('DELETE', url, undefined, headers);
