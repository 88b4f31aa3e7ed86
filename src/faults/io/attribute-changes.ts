import { FaultlineError } from '../../base/error.ts';
import { textOf } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import { nearHint } from '../near.ts';
import { type AttributeChanges, type FileKind, fileKinds, type Timespec } from './rule.ts';

/*
 * Attributes as they are given: an object as in Chaos Mesh's IOChaos, or texts `name=value` as on the command line.
 */

/** Attributes by Chaos Mesh's names; values as they came. */
export type AttributeInput = Readonly<Record<string, unknown>>;

function refuse(name: string, value: unknown, expected: string): never {
  const shown = printable(textOf(value).slice(0, 60));
  throw new FaultlineError('ARGUMENT_INVALID', `the attribute ${name} cannot be ${shown}`, { hint: expected });
}

/** Beyond this a number in JSON is another one than was written; it must then be text. */
function wholeNumber(name: string, value: unknown, max: bigint): bigint {
  const expected = `it is a whole number from 0 to ${max}`;
  const fits = typeof value === 'number' ? Number.isSafeInteger(value) : /^\d{1,20}$/u.test(textOf(value));
  if (!fits) refuse(name, value, expected);
  const number = BigInt(textOf(value));
  return number >= 0n && number <= max ? number : refuse(name, value, expected);
}

/** The kernel takes a file whose size is above this for a broken one: fuse_valid_size of fs/fuse/dir.c. */
const maxInt64 = 2n ** 63n - 1n;
const maxUint32 = 2n ** 32n - 1n;
const maxPermissions = 0o7777;

/** From text in octal, as chmod(1) takes it; a number is what it is, as in Chaos Mesh (`perm: 72` is 0110). */
function permissions(value: unknown): number {
  if (typeof value !== 'string') return Number(wholeNumber('perm', value, BigInt(maxPermissions)));
  const [, octal] = /^0o?([0-7]{1,4})$/u.exec(value) ?? [];
  return octal === undefined
    ? refuse('perm', value, 'write it in octal with a leading zero, such as 0644')
    : Number.parseInt(octal, 8);
}

function fileKind(value: unknown): FileKind {
  const kinds = Object.keys(fileKinds) as FileKind[];
  return kinds.find((kind) => kind === value) ?? refuse('kind', value, nearHint(textOf(value), kinds));
}

const timeHint = 'write 2030-01-31T12:00:00Z, seconds since 1970 such as 1577836800.5, or {"sec":…,"nsec":…}';

/** Years beyond these break tools that print them, and more than the kernel promises for most file systems. */
const maxSeconds = 253_402_300_799;

function timespec(name: string, sec: unknown, nsec: unknown): Timespec {
  const [seconds, nanoseconds] = [Number(sec), Number(nsec)];
  const valid =
    Number.isInteger(seconds) &&
    Math.abs(seconds) <= maxSeconds &&
    Number.isInteger(nanoseconds) &&
    nanoseconds >= 0 &&
    nanoseconds < 1e9;
  return valid ? { sec: seconds, nsec: nanoseconds } : refuse(name, { sec, nsec }, timeHint);
}

function timeFromText(name: string, text: string): Timespec {
  const [, sec, fraction = ''] = /^(-?\d+)(?:\.(\d{1,9}))?$/u.exec(text) ?? [];
  if (sec !== undefined && (fraction === '' || !sec.startsWith('-'))) {
    return timespec(name, sec, fraction.padEnd(9, '0'));
  }
  const ms = /^\d{4}-\d\d-\d\d/u.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) refuse(name, text, timeHint);
  return timespec(name, Math.floor(ms / 1000), (((ms % 1000) + 1000) % 1000) * 1e6);
}

/** Seconds and nanoseconds; under toda's other names, too, which are those of its language's library. */
function time(name: string, value: unknown): Timespec {
  if (typeof value === 'string') return timeFromText(name, value);
  if (typeof value === 'number') return timeFromText(name, String(value));
  if (typeof value !== 'object' || value === null) return refuse(name, value, timeHint);
  const fields = value as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(fields).filter((key) => !timeFields.has(key));
  if (unknown.length > 0) refuse(name, value, timeHint);
  return timespec(
    name,
    fields['sec'] ?? fields['secs_since_epoch'] ?? Number.NaN,
    fields['nsec'] ?? fields['nanos_since_epoch'] ?? 0,
  );
}

const timeFields: ReadonlySet<string> = new Set(['sec', 'nsec', 'secs_since_epoch', 'nanos_since_epoch']);

const large = (name: string, value: unknown): string => String(wholeNumber(name, value, maxInt64));
const small = (name: string, value: unknown): number => Number(wholeNumber(name, value, maxUint32));

const readers: Readonly<Record<keyof AttributeChanges, (name: string, value: unknown) => string | number | Timespec>> =
  {
    ino: large,
    size: large,
    blocks: large,
    atime: time,
    mtime: time,
    ctime: time,
    kind: (_name, value) => fileKind(value),
    perm: (_name, value) => permissions(value),
    nlink: small,
    uid: small,
    gid: small,
    rdev: small,
  };

/** The attributes that can be overridden. */
export const attributeNames: readonly string[] = Object.keys(readers);

function isAttribute(name: string): name is keyof AttributeChanges {
  return attributeNames.includes(name);
}

/** `size=0`, `perm=0644` as an object. A name that comes twice has its last value. */
function fromTexts(texts: readonly string[]): AttributeInput {
  return Object.fromEntries(
    texts.map((text) => {
      const end = text.indexOf('=');
      if (end > 0) return [text.slice(0, end).trim(), text.slice(end + 1).trim()];
      throw new FaultlineError('ARGUMENT_INVALID', `"${printable(text.slice(0, 60))}" is no attribute with a value`, {
        hint: 'write size=0 or perm=0644, several with commas between them',
      });
    }),
  );
}

/**
 * Which attributes are to be what.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID
 */
export function parseAttributes(given: AttributeInput | readonly string[]): AttributeChanges {
  const input = Array.isArray(given) ? fromTexts(given as readonly string[]) : (given as AttributeInput);
  const entries = Object.entries(input).map(([name, value]) => {
    if (isAttribute(name)) return [name, readers[name](name, value)] as const;
    throw new FaultlineError('ARGUMENT_INVALID', `there is no attribute "${printable(name.slice(0, 40))}"`, {
      hint: nearHint(name, attributeNames),
    });
  });
  if (entries.length === 0) {
    throw new FaultlineError('ARGUMENT_INVALID', 'no attribute is to be overridden', {
      hint: `give one of: ${attributeNames.join(', ')}`,
    });
  }
  return Object.fromEntries(entries);
}
