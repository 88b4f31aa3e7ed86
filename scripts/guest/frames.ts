import { deserialize, serialize } from 'node:v8';

/** The length of what follows, as an unsigned number of 32 bits, little endian. */
const HEADER_BYTES = 4;

/** A value as it goes through the channel: a frame of its length and what v8.serialize makes of it. */
export function frameOf(value: unknown): Buffer {
  const body = serialize(value);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(body.length);
  return Buffer.concat([header, body]);
}

/**
 * Takes frames out of what arrives, however it is cut.
 *
 * @returns to be given each piece
 */
export function frameReader(onValue: (value: unknown) => void): (data: Buffer) => void {
  let pieces: Buffer[] = [];
  let length = 0;
  return (data) => {
    pieces.push(data);
    length += data.length;
    if (length < HEADER_BYTES || length < wanted(pieces)) return;
    let rest = Buffer.concat(pieces);
    while (rest.length >= HEADER_BYTES && rest.length >= HEADER_BYTES + rest.readUInt32LE()) {
      const end = HEADER_BYTES + rest.readUInt32LE();
      onValue(deserialize(rest.subarray(HEADER_BYTES, end)));
      rest = rest.subarray(end);
    }
    pieces = rest.length > 0 ? [rest] : [];
    length = rest.length;
  };
}

/** Bytes of the first frame with its header, of pieces that are as long as a header at least. */
function wanted(pieces: readonly Buffer[]): number {
  const [first = Buffer.alloc(0)] = pieces;
  const header = first.length >= HEADER_BYTES ? first : Buffer.concat(pieces);
  return HEADER_BYTES + header.readUInt32LE();
}
