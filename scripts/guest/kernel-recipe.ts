import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../lib/tree.ts';

/** What the guest's kernel is made of. */
export interface KernelRecipe {
  /** The series, which is a part of the package's name. */
  readonly series: string;
  /** Debian's package of the source. */
  readonly sourcePackage: string;
  /** Where that package puts it. */
  readonly archive: string;
  /** The options that are wanted, as a fragment of a configuration. */
  readonly fragment: string;
  /** SHA-256 of a kernel that was built so, and need not be built again; undefined where there is none. */
  readonly recorded: string | undefined;
}

/** Relative to the root. */
export const fragmentFile = 'test/guest/kernel.config';

/** Built from linux-source-6.1 6.1.192-2 with gcc 12.2. */
const recorded: Readonly<Record<string, string>> = {
  '6.1': '3bb6f1860618695b520dae8dcd17d2fa26acbce4c8ccaec4a0db6018193c348f',
};

const usualSeries = '6.1';

/**
 * The kernel that `GUEST_KERNEL` names, as `6.12`; by default Debian 12's own.
 *
 * @throws Error it does not look like a series
 */
export function kernelRecipe(wanted = process.env['GUEST_KERNEL'] ?? ''): KernelRecipe {
  const series = wanted === '' ? usualSeries : wanted;
  if (!/^\d+\.\d+$/u.test(series)) throw new Error(`GUEST_KERNEL=${series}: it is the beginning of a version, as 6.12`);
  const sourcePackage = `linux-source-${series}`;
  return Object.freeze({
    series,
    sourcePackage,
    archive: `/usr/src/${sourcePackage}.tar.xz`,
    fragment: readFileSync(path.join(root, fragmentFile), 'utf8'),
    recorded: recorded[series],
  });
}

/** Two kernels of one key are the same for all that the tests can tell. */
export function kernelKey(fragment: string, sourceVersion: string, compiler: string): string {
  return createHash('sha256')
    .update(JSON.stringify([fragment, sourceVersion, compiler]))
    .digest('hex')
    .slice(0, 32);
}
