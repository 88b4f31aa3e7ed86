import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { isErrno, toSyscallError } from '../linux/syscall-error.ts';
import { type Finding, type LogScanner, scanLog } from './kernel-log/scan.ts';

/** What a log was found to tell. */
export interface LogFindings {
  /** In the order of the log; the last ones, where there are very many. */
  readonly findings: readonly Finding[];
  /** How many were found and are not kept. */
  readonly dropped: number;
  readonly bytes: number;
  /** It was compressed, and is damaged or cut off: what follows could not be read. */
  readonly damaged: boolean;
}

/** How many findings are kept of one log: far more than anybody reads. */
const mostKept = 10_000;

/** Reports of the OOM killer have tables of hundreds of tasks: fewer of them fill the memory. */
const mostReports = 200;

const pieceBytes = 1024 * 1024;

/** Keeps the last findings of whatever is read. */
export function collectFindings(): {
  readonly scanner: LogScanner;
  readonly findings: () => Pick<LogFindings, 'findings' | 'dropped'>;
} {
  let kept: Finding[] = [];
  let reports = 0;
  let dropped = 0;
  function forget(): void {
    const before = kept.length;
    const oldest = kept.filter(({ kind }) => kind === 'oom').at(-mostReports);
    const since = oldest === undefined ? 0 : kept.indexOf(oldest);
    kept = kept.filter(({ kind }, index) => kind !== 'oom' || index >= since).slice(-mostKept);
    reports = kept.filter(({ kind }) => kind === 'oom').length;
    dropped += before - kept.length;
  }
  const scanner = scanLog((finding) => {
    kept.push(finding);
    if (finding.kind === 'oom') reports += 1;
    if (kept.length > 2 * mostKept || reports > 2 * mostReports) forget();
  });
  return {
    scanner,
    findings: () => {
      forget();
      return { findings: kept, dropped };
    },
  };
}

/** RFC 1952: what gzip begins its files with. */
function isGzip(piece: Uint8Array): boolean {
  return piece[0] === 0x1f && piece[1] === 0x8b;
}

type Read = Pick<LogFindings, 'bytes' | 'damaged'>;

/** zlib's own errors: Z_DATA_ERROR, Z_BUF_ERROR */
function isDamage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

async function readCompressed(file: string, scanner: LogScanner): Promise<Read> {
  const { createGunzip } = await import('node:zlib');
  let bytes = 0;
  const unpacked = createReadStream(file, { highWaterMark: pieceBytes }).pipe(createGunzip({ chunkSize: pieceBytes }));
  try {
    for await (const piece of unpacked) {
      bytes += (piece as Buffer).length;
      scanner.push(piece as Buffer);
    }
    return { bytes, damaged: false };
  } catch (error) {
    if (isDamage(error)) return { bytes, damaged: true };
    throw error;
  }
}

/** @returns undefined: nothing more can be read just now of what was opened without waiting */
function readPiece(fd: number, buffer: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, buffer, 0, buffer.length, null);
    } catch (error) {
      // A terminal or pipe that somebody set to non-blocking: wait a little.
      if (!isErrno(error, 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

async function readPlain(fd: number, file: string, scanner: LogScanner): Promise<Read> {
  const buffer = Buffer.allocUnsafe(pieceBytes);
  let bytes = 0;
  for (;;) {
    const count = readPiece(fd, buffer);
    if (count === 0) return { bytes, damaged: false };
    if (bytes === 0 && file !== '-' && isGzip(buffer)) return readCompressed(file, scanner);
    bytes += count;
    scanner.push(buffer.subarray(0, count));
  }
}

function openLog(file: string): number {
  if (file === '-') return 0;
  const fd = openSync(file, 'r');
  if (!fstatSync(fd).isDirectory()) return fd;
  closeSync(fd);
  throw new FaultlineError('ARGUMENT_INVALID', `${printable(file)} is a folder`, { hint: 'name a file in it' });
}

/**
 * Read a saved log, plain or compressed by gzip, and find what tells of deaths.
 *
 * @param file `-` is the standard input
 * @throws {FaultlineError} ARGUMENT_INVALID, PERMISSION_DENIED, SYSCALL_FAILED
 */
export async function readLogFile(file: string): Promise<LogFindings> {
  const { scanner, findings } = collectFindings();
  try {
    const fd = openLog(file);
    try {
      const read = await readPlain(fd, file, scanner);
      scanner.end();
      return { ...findings(), ...read };
    } finally {
      if (fd !== 0) closeSync(fd);
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      throw new FaultlineError('ARGUMENT_INVALID', `there is no file ${printable(file)}`, { cause: error });
    }
    throw toSyscallError(error);
  }
}
