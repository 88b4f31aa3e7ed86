import type { JsonObject } from '../base/json.ts';
import { number, numberOrNull, object, objectOrNull, text, textOrNull } from './columns.ts';
import type { Row, Store } from './store.ts';

/*
 * Runs of experiments: who runs them, what they may touch at most, and what became of them. What a document holds is
 * for the floors above.
 */

/** One run of an experiment, without its document. */
export interface RunRecord {
  readonly id: number;
  readonly uid: string;
  /** Of the experiment. */
  readonly name: string;
  /** As the user named it. */
  readonly file: string;
  /** Wall-clock ms since 1970. */
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly bootId: string;
  readonly pidNamespace: number;
  readonly timeNamespace: number;
  /** The process that runs it, or ran it: a `ProcessIdentity` with its operation, as JSON. */
  readonly owner: JsonObject;
  readonly actor: JsonObject;
  /** What it may touch at most. */
  readonly blastRadius: JsonObject;
  /** CLOCK_BOOTTIME ms at which its injections have to be undone; null: it has injected nothing yet. */
  readonly deadlineBootMs: number | null;
  /** How many targets its injections were let loose on. */
  readonly touched: number;
  /** null: it goes on, or its runner is gone and nobody has looked since. */
  readonly verdict: string | null;
  readonly reason: string | null;
}

export type NewRun = Omit<RunRecord, 'id' | 'endedAt' | 'deadlineBootMs' | 'touched' | 'verdict' | 'reason'>;

/** How many runs keep their documents: curves take room. */
const mostDocuments = 200;

const columns = `id, uid, name, file, started_at, ended_at, boot_id, pid_namespace, time_namespace, owner, actor,
  blast_radius, deadline_boot_ms, touched, verdict, reason`;

function toRecord(row: Row): RunRecord {
  return Object.freeze({
    id: number(row, 'id'),
    uid: text(row, 'uid'),
    name: text(row, 'name'),
    file: text(row, 'file'),
    startedAt: number(row, 'started_at'),
    endedAt: numberOrNull(row, 'ended_at'),
    bootId: text(row, 'boot_id'),
    pidNamespace: number(row, 'pid_namespace'),
    timeNamespace: number(row, 'time_namespace'),
    owner: object(row, 'owner'),
    actor: object(row, 'actor'),
    blastRadius: object(row, 'blast_radius'),
    deadlineBootMs: numberOrNull(row, 'deadline_boot_ms'),
    touched: number(row, 'touched'),
    verdict: textOrNull(row, 'verdict'),
    reason: textOrNull(row, 'reason'),
  });
}

/** Write down that a run begins, and forget the documents of the oldest. Part of the caller's transaction. */
export function insertRun(store: Store, run: NewRun, document: JsonObject): void {
  const { lastId } = store.run(
    `INSERT INTO run (uid, name, file, started_at, boot_id, pid_namespace, time_namespace, owner, actor,
       blast_radius, document)
     VALUES ($uid, $name, $file, $startedAt, $bootId, $pidNamespace, $timeNamespace, $owner, $actor,
       $blastRadius, $document)`,
    {
      ...run,
      owner: JSON.stringify(run.owner),
      actor: JSON.stringify(run.actor),
      blastRadius: JSON.stringify(run.blastRadius),
      document: JSON.stringify(document),
    },
  );
  store.run(
    `UPDATE run SET document = NULL
     WHERE id <= $newest - $most AND verdict IS NOT NULL AND document IS NOT NULL`,
    { newest: lastId, most: mostDocuments },
  );
}

export function findRun(store: Store, uid: string): RunRecord | undefined {
  const row = store.get(`SELECT ${columns} FROM run WHERE uid = $uid`, { uid });
  return row === undefined ? undefined : toRecord(row);
}

/** What is known of a run; null: it is too old, and forgotten. */
export function runDocument(store: Store, id: number): JsonObject | null {
  const row = store.get('SELECT document FROM run WHERE id = $id', { id });
  return row === undefined ? null : objectOrNull(row, 'document');
}

/** The newest first. */
export function listRuns(store: Store, limit: number): readonly RunRecord[] {
  return store.all(`SELECT ${columns} FROM run ORDER BY id DESC LIMIT $limit`, { limit }).map(toRecord);
}

/** Every run that has not ended, or whose end nobody has written down, oldest first. */
export function openRuns(store: Store): readonly RunRecord[] {
  return store.all(`SELECT ${columns} FROM run WHERE verdict IS NULL ORDER BY id`).map(toRecord);
}

/** Write down what is known of a run that goes on; what is known of one that has ended stays as it is. */
export function writeRunDocument(store: Store, id: number, document: JsonObject): void {
  store.run('UPDATE run SET document = $document WHERE id = $id AND verdict IS NULL', {
    id,
    document: JSON.stringify(document),
  });
}

export function setRunDeadline(store: Store, id: number, deadlineBootMs: number): void {
  store.run('UPDATE run SET deadline_boot_ms = $deadlineBootMs WHERE id = $id', { id, deadlineBootMs });
}

/** Count targets that the run is about to hit. */
export function addTouched(store: Store, id: number, targets: number): void {
  store.run('UPDATE run SET touched = touched + $targets WHERE id = $id', { id, targets });
}

export interface RunEnding {
  readonly endedAt: number;
  readonly verdict: string;
  readonly reason: string;
  readonly document: JsonObject;
}

/** @returns whether it had not ended before */
export function endRun(store: Store, id: number, { endedAt, verdict, reason, document }: RunEnding): boolean {
  const { changes } = store.run(
    `UPDATE run SET ended_at = $endedAt, verdict = $verdict, reason = $reason, document = $document
     WHERE id = $id AND verdict IS NULL`,
    { id, endedAt, verdict, reason, document: JSON.stringify(document) },
  );
  return changes > 0;
}
