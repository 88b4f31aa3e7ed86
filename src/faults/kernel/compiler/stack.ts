/*
 * The 512 bytes of stack that the kernel gives a program: MAX_BPF_STACK of include/linux/filter.h.
 */

const stackBytes = 512;

export class StackFull extends Error {}

/** Pieces of the stack, below the frame pointer; each begins at a multiple of eight. */
export interface Stack {
  /** @returns its offset from the frame pointer, which is negative */
  take(bytes: number): number;
  /** Use a piece for as long as something takes. */
  during<Result>(bytes: number, use: (offset: number) => Result): Result;
}

/** An empty stack. */
export function emptyStack(): Stack {
  let used = 0;
  const take = (bytes: number): number => {
    const needed = used + Math.ceil(bytes / 8) * 8;
    if (needed > stackBytes) throw new StackFull(`the stack of a program has ${stackBytes} bytes`);
    used = needed;
    return -used;
  };
  return Object.freeze({
    take,
    during<Result>(bytes: number, use: (offset: number) => Result): Result {
      const before = used;
      const offset = take(bytes);
      try {
        return use(offset);
      } finally {
        used = before;
      }
    },
  });
}
