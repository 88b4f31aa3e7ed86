/*
 * How rules come from a test to the interposers in the threads of a volume, and numbers back: in shared memory, as the
 * threads hear nothing while they serve.
 */

const textBytes = 65_536;
const countWords = 64;

/** What an interposer of a test is given. */
export interface RuleChannel {
  /** Grows with each change. */
  generation(): number;
  /** The rules as they are now. */
  rules(): unknown;
  /** For whatever the interposer counts, for all threads together: use Atomics. */
  readonly counts: Int32Array;
}

const word = Object.freeze({ GENERATION: 0, LENGTH: 1, COUNTS: 2 });
const textAt = (2 + countWords) * 4;

export function createChannelBuffer(rules: unknown): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(textAt + textBytes);
  writeRules(buffer, rules);
  return buffer;
}

export function writeRules(buffer: SharedArrayBuffer, rules: unknown): void {
  const words = new Int32Array(buffer, 0, 2 + countWords);
  const text = Buffer.from(JSON.stringify(rules ?? null));
  // Generations are even when the text is whole.
  Atomics.add(words, word.GENERATION, 1);
  new Uint8Array(buffer, textAt).set(text);
  Atomics.store(words, word.LENGTH, text.length);
  Atomics.add(words, word.GENERATION, 1);
}

export function openChannel(buffer: SharedArrayBuffer): RuleChannel {
  const words = new Int32Array(buffer, 0, 2 + countWords);
  return {
    generation: () => Atomics.load(words, word.GENERATION) >> 1,
    rules: () => {
      for (;;) {
        const before = Atomics.load(words, word.GENERATION);
        const text = Buffer.from(new Uint8Array(buffer, textAt, Atomics.load(words, word.LENGTH))).toString();
        if (before % 2 === 0 && Atomics.load(words, word.GENERATION) === before) return JSON.parse(text) as unknown;
      }
    },
    counts: words.subarray(word.COUNTS),
  };
}
