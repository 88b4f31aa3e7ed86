import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { FaultlineError } from '../base/error.ts';
import type { ErrorCode } from '../base/error-codes.ts';
import { printable } from '../base/text.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly says: string;
  readonly hint: string;
}

const unwritable: Meaning = {
  code: 'STATE_UNWRITABLE',
  says: 'cannot be written',
  hint: 'choose a folder that you can write with --state-dir or FAULTLINE_STATE_DIR',
};
const damaged: Meaning = {
  code: 'STATE_DAMAGED',
  says: 'is damaged and was left as it is',
  hint: 'move it away to start anew; stopped processes must then be continued by hand (kill -CONT PID)',
};

const diskFull: Meaning = {
  code: 'STATE_DISK_FULL',
  says: 'cannot grow: the disk is full',
  hint: 'free some space and try again',
};

/** SQLite's primary result codes (sqlite.org/rescode.html) that a person can do something about. */
const meanings: Readonly<Record<number, Meaning>> = {
  3: unwritable, // SQLITE_PERM
  5: { code: 'STATE_BUSY', says: 'is locked by another program', hint: 'find it with: fuser -v FILE' }, // SQLITE_BUSY
  8: unwritable, // SQLITE_READONLY
  10: { ...unwritable, says: 'cannot be read or written: the disk reports an error' }, // SQLITE_IOERR
  11: damaged, // SQLITE_CORRUPT
  13: diskFull, // SQLITE_FULL
  14: unwritable, // SQLITE_CANTOPEN
  26: damaged, // SQLITE_NOTADB
};

const SQLITE_IOERR = 10;
const ENOSPC = 28;

/**
 * A full disk is an I/O error where SQLite maps memory (SQLITE_IOERR_SHMSIZE), and the errno is not always handed on:
 * then the file system is asked.
 */
function isDiskFull(error: unknown, file: string): boolean {
  if (error instanceof Error && 'systemErrno' in error && error.systemErrno === ENOSPC) return true;
  try {
    return statfsSync(dirname(file)).bavail === 0;
  } catch {
    return false;
  }
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff; // extended result codes keep the primary one in the low byte
}

/** Another process or connection holds the lock: SQLITE_BUSY. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === 5;
}

/** SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN: writing is what failed, reading may still work. */
export function isWriteFailure(error: unknown): boolean {
  const code = resultCode(error);
  return code !== undefined && [8, SQLITE_IOERR, 13, 14].includes(code);
}

/** Turn what SQLite threw about `file` into an expected error; anything else is handed back as it is. */
export function storeError(error: unknown, file: string): unknown {
  const code = resultCode(error);
  if (code === undefined) return error;
  const meaning = code === SQLITE_IOERR && isDiskFull(error, file) ? diskFull : meanings[code];
  if (meaning === undefined) return error;
  return new FaultlineError(meaning.code, `the journal ${printable(file)} ${meaning.says}`, {
    hint: meaning.hint,
    cause: error,
  });
}
