import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { ProcessIdentity } from '../../../targets/identity.ts';
import type { VolumePlan } from '../volume-plan.ts';
import { type DaemonPlace, placeBySource } from './place.ts';

/*
 * What a daemon writes down before it covers a volume, so that whoever finds it dead knows what to look for: open files
 * tell only the number of the mount that they are of.
 */

export interface DaemonRecord {
  readonly daemon: ProcessIdentity;
  /** As it was planned by who came first. */
  readonly volume: VolumePlan;
  readonly mountId: number;
  /** `major:minor` of its file system. */
  readonly device: string;
  /** null before Linux 6.8. */
  readonly uniqueMountId: number | null;
  /** The source that the mount table shows. */
  readonly source: string;
}

function recordFile({ folder, socket }: DaemonPlace): string {
  return path.join(folder, `${path.basename(socket, '.sock')}.json`);
}

function fsyncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Durable when it comes back, and never half. */
export function writeRecord(place: DaemonPlace, record: DaemonRecord): void {
  const file = recordFile(place);
  const draft = `${file}.new`;
  const fd = openSync(draft, 'w', 0o600);
  try {
    writeSync(fd, JSON.stringify(record));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(draft, file);
  fsyncFolder(place.folder);
}

/** @returns undefined where no daemon has got so far */
export function readRecord(place: DaemonPlace): DaemonRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordFile(place), 'utf8')) as DaemonRecord;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The record of the daemon whose mount has this source; undefined where there is none. */
export function recordBySource(stateDir: string, source: string): DaemonRecord | undefined {
  const place = placeBySource(stateDir, source);
  return place === undefined ? undefined : readRecord(place);
}

/** All is withdrawn: nothing of the daemon is needed any more. The lock stays: who waits for it has it open. */
export function removeTraces(place: DaemonPlace): void {
  for (const file of [recordFile(place), place.socket, place.log]) rmSync(file, { force: true });
}
