import { type ArgumentType, bindUnchecked, lastErrno } from '../../../src/linux/libc.ts';

type Binding<Types extends readonly ArgumentType[]> = ReturnType<typeof bindUnchecked<Types>>;

/** Binds a libc function that returns -1 and sets errno; what is given back returns the negative errno instead. */
export function kernel<const Types extends readonly ArgumentType[]>(
  name: string,
  types: Types,
  result: 'int' | 'long' = 'int',
): Binding<Types> {
  const call = bindUnchecked(name, result, types);
  return (...values) => {
    const value = call(...values);
    return value === -1 ? -lastErrno() : value;
  };
}

/** Bytes, or a negative errno. */
export type Bytes = Buffer | number;

/** `bytes` filled by a call, as far as it has filled it. */
export function filled(bytes: Buffer, count: number): Bytes {
  return count < 0 ? count : bytes.subarray(0, count);
}

const opened = new Set<number>();

/** Remember a descriptor that was opened by us, and not by Node.js for itself. */
export function noted(fd: number): number {
  if (fd >= 0) opened.add(fd);
  return fd;
}

export function forgotten(fd: number): number {
  opened.delete(fd);
  return fd;
}

/** Those that are open, as far as they were {@link noted}. */
export function notedDescriptors(): readonly number[] {
  return [...opened];
}
