import type { Readable } from 'node:stream';

/** How much of an answer, an output or a file is looked at. */
export const mostBytes = 64 * 1024;

/** The first 64 KiB of what comes in pieces. */
export class FirstBytes {
  private readonly pieces: Buffer[] = [];
  private room = mostBytes;

  add(piece: Buffer): void {
    if (this.room <= 0) return;
    this.pieces.push(piece.length > this.room ? piece.subarray(0, this.room) : piece);
    this.room -= piece.length;
  }

  read(): Buffer {
    const [first] = this.pieces;
    return this.pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.pieces);
  }
}

/** Reads a stream to its end and keeps its first 64 KiB. @returns what there is of them */
export function firstBytes(stream: Readable): () => Buffer {
  const first = new FirstBytes();
  stream.on('data', (piece: Buffer) => first.add(piece));
  return () => first.read();
}

/** As text, without the last end of line. */
export function textOfBytes(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/\r?\n$/, '');
}
