import { chmodSync, closeSync, fsyncSync, linkSync, openSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { busyTimeoutMs, groupCommit } from './group-commit.ts';
import { applicationId, migrations } from './schema.ts';
import { journalFileSize, prepareStateDir } from './state-dir.ts';
import { isWriteFailure, storeError } from './store-error.ts';

type Database = InstanceType<typeof DatabaseSync>;
type Statement = ReturnType<Database['prepare']>;

export type Row = Readonly<Record<string, string | number | null>>;
export type Parameters = Readonly<Record<string, string | number | null>>;

/** The journal's file in a state folder. */
function journalFile(stateDir: string): string {
  return join(stateDir, 'faultline.db');
}

/**
 * The journal: one SQLite file in write-ahead-log mode, which any number of processes may use at the same time.
 *
 * `synchronous = FULL` has every commit on the disk before it returns; that is what "journal before effect" rests on.
 */
export interface Store {
  readonly file: string;
  /** Rows of a query; each sees the last committed state. */
  all(sql: string, parameters?: Parameters): readonly Row[];
  get(sql: string, parameters?: Parameters): Row | undefined;
  /** One change, inside {@link Store.write}. */
  run(sql: string, parameters?: Parameters): { readonly changes: number; readonly lastId: number };
  /**
   * Run `body`, in a moment, as one transaction that holds the write lock from its start, so that what it reads stays
   * true until it commits. Several bodies may share a commit; each is all or nothing for itself.
   *
   * @returns when the commit is on the disk
   * @throws {FaultlineError} STATE_DISK_FULL, STATE_UNWRITABLE, STATE_BUSY, STATE_DAMAGED: nothing was changed
   */
  write<Result>(body: () => Result): Promise<Result>;
  close(): void;
}

/** @param first statements that must come before anything else */
function connect(file: string, first = ''): Database {
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs });
  try {
    db.exec(`${first} PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; SELECT 1 FROM sqlite_schema LIMIT 1`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Open a journal that is there, even where its folder takes no more bytes: what is live must be undone on a full disk,
 * too. SQLite then keeps the index of its log in memory instead of the -shm file, for which it needs the journal to
 * itself. Reading works; the first write tells what is wrong.
 */
function connectAnyhow(file: string): Database {
  try {
    return connect(file);
  } catch (error) {
    if (!isWriteFailure(error)) throw error;
    return connect(file, 'PRAGMA locking_mode = EXCLUSIVE;');
  }
}

function pragma(db: Database, name: string): unknown {
  const row: unknown = db.prepare(`PRAGMA ${name}`).get();
  return typeof row === 'object' && row !== null ? Object.values(row)[0] : undefined;
}

function inTransaction<Result>(db: Database, body: () => Result): Result {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = body();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite has rolled back by itself after some errors (a full disk): then there is nothing left to roll back.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Bring an open file to the newest schema; several processes may try at once. */
function migrate(db: Database, steps: readonly string[]): void {
  if (pragma(db, 'user_version') === steps.length) return;
  inTransaction(db, () => {
    const from = Number(pragma(db, 'user_version')); // again, now that nobody else can change it
    for (const step of steps.slice(from)) db.exec(step);
    db.exec(`PRAGMA user_version = ${steps.length}`);
  });
}

function fsyncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Write a whole journal file and close it. Nothing is prepared here: the library closes a connection for good only
 * once its statements are collected as garbage, and a draft that is still open would take its log with it.
 */
function writeDraft(draft: string, steps: readonly string[]): void {
  const db = connect(draft);
  try {
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA journal_mode = WAL`);
    inTransaction(db, () => {
      for (const step of steps) db.exec(step);
      db.exec(`PRAGMA user_version = ${steps.length}`);
    });
  } finally {
    db.close();
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

/**
 * Make a new journal beside its place and link it there complete: no other process can ever see half a journal, and
 * of several that try at once, link(2) lets one win.
 */
function create(file: string, steps: readonly string[]): void {
  const draft = join(dirname(file), `.faultline.db.new-${process.pid}-${process.hrtime.bigint()}`);
  try {
    writeDraft(draft, steps);
    chmodSync(draft, 0o600); // SQLite gives the same mode to the -wal and -shm files
    fsyncPath(draft);
    try {
      linkSync(draft, file);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    fsyncPath(dirname(file));
  } catch (cause) {
    if (cause instanceof Error && 'syscall' in cause) {
      throw new FaultlineError('STATE_UNWRITABLE', `the journal ${printable(file)} cannot be made: ${cause.message}`, {
        hint: 'choose a folder on a local disk that you can write with --state-dir or FAULTLINE_STATE_DIR',
        cause,
      });
    }
    throw cause;
  } finally {
    for (const suffix of ['', '-wal', '-shm', '-journal']) removeIfThere(draft + suffix);
  }
}

/** Refuse a file that this program did not write, or that a newer one did. */
function refuseStrange(db: Database, file: string, steps: readonly string[]): void {
  const version = Number(pragma(db, 'user_version'));
  if (pragma(db, 'application_id') !== applicationId) {
    throw new FaultlineError('STATE_FOREIGN', `${printable(file)} is a database of another program`, {
      hint: 'choose another folder with --state-dir',
    });
  }
  if (version > steps.length) {
    const detail = `schema ${version}, this program knows ${steps.length}`;
    throw new FaultlineError('STATE_NEWER', `${printable(file)} was written by a newer Faultline (${detail})`, {
      hint: 'use the newer version, or choose another folder with --state-dir',
    });
  }
}

function openFile(file: string, steps: readonly string[]): Database {
  const size = journalFileSize(file);
  if (size === undefined) create(file, steps);
  if (size === 0) {
    throw new FaultlineError('STATE_DAMAGED', `the journal ${printable(file)} is empty and was left as it is`, {
      hint: 'move it away to start anew; stopped processes must then be continued by hand (kill -CONT PID)',
    });
  }
  const db = connectAnyhow(file);
  try {
    refuseStrange(db, file, steps);
    migrate(db, steps);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

function storeOver(db: Database, file: string): Store {
  const statements = new Map<string, Statement>();
  const group = groupCommit(db);
  function prepared(sql: string): Statement {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = db.prepare(sql);
    statements.set(sql, statement);
    return statement;
  }
  function translated<Result>(body: () => Result): Result {
    try {
      return body();
    } catch (error) {
      throw storeError(error, file);
    }
  }
  return Object.freeze({
    file,
    all: (sql: string, parameters: Parameters = {}) =>
      translated(() => prepared(sql).all(parameters) as readonly Row[]),
    get: (sql: string, parameters: Parameters = {}) =>
      translated(() => prepared(sql).get(parameters) as Row | undefined),
    run: (sql: string, parameters: Parameters = {}) =>
      translated(() => {
        const { changes, lastInsertRowid } = prepared(sql).run(parameters);
        return { changes, lastId: Number(lastInsertRowid) };
      }),
    write: <Result>(body: () => Result): Promise<Result> =>
      group.write(body).catch((error: unknown) => {
        throw storeError(error, file);
      }),
    close: () => {
      if (db.isOpen) db.close();
    },
  });
}

/**
 * Open the journal of a state folder, making both where they are not there yet.
 *
 * @param steps for tests of migrations only
 * @throws {FaultlineError} STATE_DIR_UNSAFE, STATE_UNWRITABLE, STATE_DISK_FULL, STATE_DAMAGED, STATE_FOREIGN,
 *   STATE_NEWER; a file that was there is never overwritten
 */
export function openStore(stateDir: string, steps: readonly string[] = migrations): Store {
  prepareStateDir(stateDir);
  const file = journalFile(stateDir);
  try {
    return storeOver(openFile(file, steps), file);
  } catch (error) {
    throw storeError(error, file);
  }
}

/** Like {@link openStore}, at the first use: a dry run leaves no trace of itself. */
export function openStoreLazily(stateDir: string): Store {
  let opened: Store | undefined;
  const store = (): Store => {
    opened ??= openStore(stateDir);
    return opened;
  };
  return Object.freeze({
    file: journalFile(stateDir),
    all: (sql: string, parameters?: Parameters) => store().all(sql, parameters),
    get: (sql: string, parameters?: Parameters) => store().get(sql, parameters),
    run: (sql: string, parameters?: Parameters) => store().run(sql, parameters),
    write: async <Result>(body: () => Result): Promise<Result> => store().write(body),
    close: () => opened?.close(),
  });
}
