import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';

const patienceMs = 300_000;

/**
 * Runs `work` while no other process builds in the same checkout: two test runs would otherwise tidy away each other's
 * files. An SQLite transaction is the lock, because the kernel lets go of it whatever kills its owner.
 */
export async function withBuildLock<Result>(root: string, work: () => Promise<Result>): Promise<Result> {
  const folder = path.join(root, 'node_modules/.cache/faultline');
  mkdirSync(folder, { recursive: true });
  const lock = new DatabaseSync(path.join(folder, 'build-lock.sqlite'), { timeout: patienceMs });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return await work();
  } finally {
    lock.close();
  }
}
