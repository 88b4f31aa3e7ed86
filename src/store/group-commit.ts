import type { DatabaseSync } from '@photostructure/sqlite';
import { delay } from '../base/delay.ts';
import { isBusy } from './store-error.ts';

type Database = InstanceType<typeof DatabaseSync>;

/**
 * How long a write waits while another process holds the lock and nothing is written, in milliseconds; and how long
 * the next ones do after one has given up: whoever holds the lock seems to hang, and what must be undone should not
 * wait for each write anew.
 */
const patienceMs = 60_000;
const impatienceMs = 1_000;

/**
 * The pauses between tries for the write lock, in milliseconds: as SQLite's own busy handler has them (sqlite3.c,
 * `sqliteDefaultBusyCallback`), which many processes that want it at once can bear.
 */
const pausesMs = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50];
const lastPauseMs = 100;

/**
 * How long anything else waits for a lock: reading never does while others write, but for a moment while another
 * process makes the log's index anew after a crash.
 */
export const busyTimeoutMs = 60_000;

/** One change that waits for its transaction. */
interface Waiting {
  /** Makes the change and keeps its result. */
  run(): void;
  resolve(): void;
  reject(error: unknown): void;
}

/** @returns undefined, or the error that says that another holds the lock */
function beginIfFree(db: Database): unknown {
  try {
    db.exec('PRAGMA busy_timeout = 0; BEGIN IMMEDIATE');
    return undefined;
  } catch (error) {
    if (isBusy(error)) return error;
    throw error;
  } finally {
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  }
}

/** A number that changes whenever another process has committed: PRAGMA data_version. */
function dataVersion(db: Database): number {
  const row = db.prepare('PRAGMA data_version').get() as Readonly<Record<string, unknown>> | undefined;
  return Number(row?.['data_version']);
}

/**
 * Take the write lock. Between tries the thread is free: a writer that hangs must not take a whole service with it.
 * While others get on with their writes nobody hangs; it only is their turn.
 *
 * @returns undefined, or the error when it is still held by another after so many ms in which nothing was written
 */
async function begin(db: Database, waitMs: number): Promise<unknown> {
  let version: number | undefined;
  let sinceMs = performance.now();
  for (let tries = 0; ; tries++) {
    const held = beginIfFree(db);
    if (held === undefined) return undefined;
    const seen = dataVersion(db);
    if (seen !== version) sinceMs = performance.now();
    version = seen;
    if (performance.now() - sinceMs > waitMs) return held;
    await delay(pausesMs[tries] ?? lastPauseMs);
  }
}

/** SQLite has rolled back by itself after some errors (a full disk), and a journal that was closed has nothing open. */
function rollBack(db: Database): void {
  try {
    if (db.isOpen && db.isTransaction) db.exec('ROLLBACK');
  } catch {
    // The disk fails, and the next write will say so; the journal itself rolls back when it is opened again.
  }
}

/** Make one change of several; if it fails, it alone is taken back. @returns the error, or undefined */
function runApart(db: Database, one: Waiting): { readonly error: unknown } | undefined {
  db.exec('SAVEPOINT one');
  try {
    one.run();
    db.exec('RELEASE one');
    return undefined;
  } catch (error) {
    if (!db.isTransaction) throw error; // all of it was rolled back
    db.exec('ROLLBACK TO one; RELEASE one');
    return { error };
  }
}

/** Make the changes and commit them. @returns those that failed, with why; all others are on the disk */
function commitAll(db: Database, batch: readonly Waiting[]): ReadonlyMap<Waiting, unknown> {
  const failed = new Map<Waiting, unknown>();
  const [first] = batch;
  if (batch.length === 1) first?.run();
  else {
    for (const one of batch) {
      const failure = runApart(db, one);
      if (failure !== undefined) failed.set(one, failure.error);
    }
  }
  db.exec('COMMIT');
  return failed;
}

/** Commits what is asked for at about the same time together. */
export interface GroupCommit {
  /** @see Store.write */
  write<Result>(body: () => Result): Promise<Result>;
}

/**
 * Group commit: changes that are asked for in one turn of the event loop share one transaction, and with it one fsync.
 * Each is still all or nothing for itself, and each caller hears of its own only when it is on the disk. A change that
 * is alone waits for nobody.
 */
export function groupCommit(db: Database): GroupCommit {
  let waiting: Waiting[] = [];
  let scheduled = false;
  /** Has the last write given up waiting? */
  let stuck = false;

  function take(): readonly Waiting[] {
    const batch = waiting;
    waiting = [];
    scheduled = false;
    return batch;
  }
  function settle(batch: readonly Waiting[], failed: ReadonlyMap<Waiting, unknown>): void {
    for (const one of batch) {
      if (failed.has(one)) one.reject(failed.get(one));
      else one.resolve();
    }
  }
  async function flush(): Promise<void> {
    let batch: readonly Waiting[] | undefined;
    try {
      const held = await begin(db, stuck ? impatienceMs : patienceMs);
      stuck = held !== undefined;
      if (stuck) throw held;
      batch = take(); // what has come while we waited for the lock goes along
      settle(batch, commitAll(db, batch));
    } catch (error) {
      for (const one of batch ?? take()) one.reject(error);
      rollBack(db);
    }
  }
  return Object.freeze({
    write: <Result>(body: () => Result): Promise<Result> =>
      new Promise<Result>((resolve, reject) => {
        let result: { readonly value: Result } | undefined;
        waiting.push({
          run: () => {
            result = { value: body() };
          },
          resolve: () => {
            if (result !== undefined) resolve(result.value);
          },
          reject,
        });
        if (scheduled) return;
        scheduled = true;
        setImmediate(() => void flush());
      }),
  });
}
