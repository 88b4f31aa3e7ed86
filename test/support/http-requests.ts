/** An answer of the service, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** What the text says as JSON; undefined where it is none. */
  readonly body: unknown;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One request. Objects are sent as JSON. */
export async function request(
  method: string,
  url: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    redirect: 'manual',
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, body: parsed(text) };
}

export const get = (url: string, headers?: Readonly<Record<string, string>>): Promise<Answer> =>
  request('GET', url, undefined, headers);

export const post = (url: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer> =>
  request('POST', url, body, headers);

export const del = (url: string, headers?: Readonly<Record<string, string>>): Promise<Answer> =>
  request('DELETE', url, undefined, headers);
