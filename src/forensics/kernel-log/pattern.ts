/** A regular expression from several pieces, for those that no line can hold. Write the pieces with `String.raw`. */
export function pattern(...pieces: readonly string[]): RegExp {
  return new RegExp(pieces.join(''));
}
