import { FaultlineError } from './error.ts';
import { printable } from './text.ts';

/** Bytes in each unit, as dd(1) and GNU's other tools have them: a bare letter or `KiB` is 1024, `kB` is 1000. */
const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  kib: 2 ** 10,
  ki: 2 ** 10,
  kb: 1e3,
  m: 2 ** 20,
  mib: 2 ** 20,
  mi: 2 ** 20,
  mb: 1e6,
  g: 2 ** 30,
  gib: 2 ** 30,
  gi: 2 ** 30,
  gb: 1e9,
  t: 2 ** 40,
  tib: 2 ** 40,
  ti: 2 ** 40,
  tb: 1e12,
};

/**
 * A number of bytes: `4096`, `4K`, `1.5MiB`, `10MB`. Fractions of a byte are dropped.
 *
 * @param what names the option in the error: `--short`
 * @returns a safe integer, 0 or above
 * @throws {FaultlineError} ARGUMENT_INVALID
 */
export function parseSize(text: string, what: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?|\.\d+) ?([A-Za-z]*)$/u.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (unitBytes[unit.toLowerCase()] ?? Number.NaN));
  if (number !== '' && Number.isSafeInteger(bytes)) return bytes;
  throw new FaultlineError('ARGUMENT_INVALID', `${what} "${printable(text.slice(0, 80))}" is not a number of bytes`, {
    hint: 'write a number, alone or with a unit, such as 4096, 4K (of 1024), 10MB (of 1000) or 1.5GiB',
  });
}

const shownUnits = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A number of bytes as a person reads it: `512 B`, `4 KiB`, `1.5 MiB`. */
export function formatSize(bytes: number): string {
  let amount = bytes;
  let unit = 'B';
  for (const larger of shownUnits) {
    if (amount < 1024) break;
    amount /= 1024;
    unit = larger;
  }
  return `${Math.round(amount * 10) / 10} ${unit}`;
}
