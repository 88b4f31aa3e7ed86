import { release } from 'node:os';

/** The kernel's release, as `uname -r` prints it: `6.8.0-45-generic`. */
export function kernelRelease(): string {
  return release();
}

/**
 * Is a kernel release at least major.minor?
 *
 * A yes is sure. A no is not: distributions carry features of later kernels back and keep the old number.
 */
export function isKernelAtLeast(major: number, minor: number, text: string = kernelRelease()): boolean {
  const numbers = /^(\d+)\.(\d+)/.exec(text);
  if (numbers === null) return false;
  const [, foundMajor, foundMinor] = numbers.map(Number);
  if (foundMajor === undefined || foundMinor === undefined) return false;
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}
