/*
 * Names of files are bytes, and need not be UTF-8. As text they are what UTF-8 makes of them, and a byte that is no
 * part of a valid character becomes the lone surrogate U+DC00 + byte, so that every name has a text of its own and
 * comes back from it unchanged. Python does the same (PEP 383, "surrogateescape"); `printable` shows such bytes.
 */

const escapedByte = /(?<![\uD800-\uDBFF])[\uDC80-\uDCFF]/;

/** U+FFFD, which a decoder puts in place of what it cannot read, and which may be in a name as well. */
const replacement = '\uFFFD';

/** How many bytes a valid UTF-8 character has that begins here; 0 where none does. RFC 3629, section 4. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  // No overlong forms, no surrogates, nothing above U+10FFFF: the second byte's range depends on the first.
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1] ?? 0;
  if (second < low || second > high) return 0;
  for (let next = at + 2; next < at + length; next += 1) {
    if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

function decodeWithEscapes(bytes: Buffer): string {
  let text = '';
  let validFrom = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += bytes.toString('utf8', validFrom, at) + String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
    at += 1;
    validFrom = at;
  }
  return text + bytes.toString('utf8', validFrom);
}

/** The bytes of a name or a path as text. */
export function decodeFileName(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  return text.includes(replacement) ? decodeWithEscapes(buffer) : text;
}

/** {@link decodeFileName} backwards. */
export function encodeFileName(text: string): Uint8Array {
  if (!escapedByte.test(text)) return Buffer.from(text, 'utf8');
  const parts = text.split(/(?<![\uD800-\uDBFF])([\uDC80-\uDCFF])/);
  // Every second part is what was split at: one escaped byte.
  return Buffer.concat(
    parts.map((part, index) => (index % 2 === 1 ? Buffer.of(part.charCodeAt(0) - 0xdc00) : Buffer.from(part, 'utf8'))),
  );
}
