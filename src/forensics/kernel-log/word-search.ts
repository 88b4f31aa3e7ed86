/*
 * Finds any of some words in bytes, faster than a regular expression can: the algorithm of Wu and Manber ("A fast
 * algorithm for multi-pattern searching", 1994), with blocks of two bytes. A window as long as the shortest word slides
 * over the text. Its last two bytes tell how far it may jump without passing over the beginning of a word; mostly
 * that is the whole window, so that most bytes are never looked at.
 */

export interface WordSearch {
  /** Where the next word begins, from `from` on and wholly before `to`; -1 when there is none. */
  next(bytes: Uint8Array, from: number, to: number): number;
}

const block = 2;

function isAt(bytes: Uint8Array, at: number, to: number, word: Uint8Array): boolean {
  if (at + word.length > to) return false;
  for (let index = 0; index < word.length; index++) if (bytes[at + index] !== word[index]) return false;
  return true;
}

/**
 * Prepare a search. The shorter the shortest word, the slower it is.
 *
 * @param words in ASCII, of three characters or more
 */
export function wordSearch(words: readonly string[]): WordSearch {
  const patterns = words.map((word) => Uint8Array.from(Buffer.from(word, 'latin1')));
  const window = Math.min(...patterns.map(({ length }) => length));
  const shifts = new Uint8Array(65_536).fill(window - block + 1);
  const ending = new Map<number, Uint8Array[]>();
  for (const pattern of patterns) {
    for (let end = block; end <= window; end++) {
      const key = ((pattern[end - 2] ?? 0) << 8) | (pattern[end - 1] ?? 0);
      shifts[key] = Math.min(shifts[key] ?? 0, window - end);
      if (end === window) ending.set(key, [...(ending.get(key) ?? []), pattern]);
    }
  }

  function next(bytes: Uint8Array, from: number, to: number): number {
    let last = from + window - 1;
    while (last < to) {
      const key = ((bytes[last - 1] ?? 0) << 8) | (bytes[last] ?? 0);
      const shift = shifts[key] ?? 1;
      if (shift > 0) {
        last += shift;
        continue;
      }
      const start = last - window + 1;
      for (const pattern of ending.get(key) ?? []) if (isAt(bytes, start, to, pattern)) return start;
      last += 1;
    }
    return -1;
  }

  return Object.freeze({ next });
}
