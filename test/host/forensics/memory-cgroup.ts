import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach } from 'vitest';
import { isErrno } from '../../../src/linux/syscall-error.ts';
import { killIfAlive, program, start, type TestProcess, until } from '../targets/processes.ts';

/*
 * Cgroups with a memory limit, v1 or v2, for tests that have the kernel kill within them. They are gone after the test.
 */

const v1 = '/sys/fs/cgroup/memory';
const v2 = '/sys/fs/cgroup';

const made: string[] = [];

function make(name: string): string {
  const isV1 = existsSync(path.join(v1, 'memory.limit_in_bytes'));
  const folder = path.join(isV1 ? v1 : v2, name);
  mkdirSync(folder);
  made.push(folder);
  return folder;
}

/** A cgroup of the test's own; without a limit when none is given. */
export function memoryCgroup(limitBytes: number | undefined, name = `fl-test-${process.pid}-${made.length}`): string {
  const folder = make(name);
  const file = existsSync(path.join(folder, 'memory.max')) ? 'memory.max' : 'memory.limit_in_bytes';
  if (limitBytes !== undefined) writeFileSync(path.join(folder, file), String(limitBytes));
  return folder;
}

function works(): boolean {
  try {
    const folder = memoryCgroup(64 << 20, `fl-probe-${process.pid}`);
    rmdirSync(folder);
    made.pop();
    return true;
  } catch {
    return false;
  }
}

/** Can memory be limited here? As root, with the memory controller on. */
export const canLimitMemory = process.getuid?.() === 0 && works();
if (!canLimitMemory) console.warn('SKIPPED: memory cgroups cannot be made here (root, memory controller)');

/** A sleeping process in a cgroup, under this name. */
export async function sleeperIn(folder: string, name: string): Promise<TestProcess> {
  const script = 'echo $$ > "$1/cgroup.procs" && exec "$2" 3600';
  const one = await start('/bin/sh', ['-c', script, 'sh', folder, program(name)]);
  await until(`${name} runs`, () => readFileSync(`/proc/${one.pid}/comm`, 'utf8').trim() === name);
  return one;
}

/** The PIDs in a cgroup. */
export function membersOf(folder: string): readonly number[] {
  return readFileSync(path.join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
}

async function remove(folder: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return;
      if (!isErrno(error, 'EBUSY') || performance.now() > deadline) throw error;
    }
    await delay(20);
  }
}

// Registered after that of `processes.ts`, and so run before it: what is in them is ended here.
afterEach(async () => {
  for (const folder of made.splice(0)) {
    for (const pid of existsSync(folder) ? membersOf(folder) : []) killIfAlive(pid);
    await remove(folder);
  }
});
