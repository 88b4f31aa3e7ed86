/** Of a line longer than this, in bytes, the rest is not looked at. */
const longestLine = 64 * 1024;

const newline = 0x0a;

/** Cuts what comes in pieces into lines. What comes after the last end of line waits for more. */
export function newLines(): (piece: Buffer) => readonly string[] {
  let rest: Buffer = Buffer.alloc(0);

  function keep(more: Buffer): void {
    rest = Buffer.concat([rest, more.subarray(0, Math.max(longestLine - rest.length, 0))]);
  }
  return (piece) => {
    const lines: string[] = [];
    let from = 0;
    for (let end = piece.indexOf(newline); end !== -1; end = piece.indexOf(newline, from)) {
      keep(piece.subarray(from, end));
      lines.push(rest.toString('utf8').replace(/\r$/, ''));
      rest = Buffer.alloc(0);
      from = end + 1;
    }
    keep(piece.subarray(from));
    return lines;
  };
}
