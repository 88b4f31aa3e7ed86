/** Numbers that come one after the other, packed: an array of JavaScript would take several times the memory. */
export interface Growing {
  readonly length: number;
  push(value: number): void;
  /** 0 beyond the end. */
  at(index: number): number;
}

type Packed = Float32Array | Uint32Array;

/** @param empty makes the array that holds so many numbers */
export function growing(empty: (length: number) => Packed): Growing {
  let packed = empty(64);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push: (value) => {
      if (length === packed.length) {
        const larger = empty(length * 2);
        larger.set(packed);
        packed = larger;
      }
      packed[length++] = value;
    },
    at: (index) => (index < length ? (packed[index] ?? 0) : 0),
  };
}
