/* Messages between processes of a test: a line of JSON each, in which buffers, bigints and undefined survive. */

interface Tagged {
  readonly $bytes?: string;
  readonly $bigint?: string;
  readonly $undefined?: true;
}

/** Buffer's own toJSON has come first when JSON.stringify asks, thus the look at what it was. */
function tag(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key];
  if (original instanceof Uint8Array) return { $bytes: Buffer.from(original).toString('base64') };
  if (value === undefined) return { $undefined: true };
  return typeof value === 'bigint' ? { $bigint: String(value) } : value;
}

function untag(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { $bytes, $bigint, $undefined } = value as Tagged;
  if ($undefined === true) return undefined;
  if ($bytes !== undefined) return Buffer.from($bytes, 'base64');
  return $bigint === undefined ? value : BigInt($bigint);
}

export function encodeMessage(message: unknown): string {
  return `${JSON.stringify(message, tag)}\n`;
}

export function decodeMessage(line: string): unknown {
  return JSON.parse(line, untag) as unknown;
}
