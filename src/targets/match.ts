import { cgroupMembers } from '../linux/cgroupfs.ts';
import { userId } from '../linux/users.ts';
import { commandLinePattern, type ProcessCriteria } from './criteria.ts';
import { isPidText, type NameMatcher, nameMatcher } from './name-match.ts';
import type { ProcessTable } from './process-table.ts';
import { type ProcessSummary, summaryOf } from './target-process.ts';

export interface Match {
  /** Live processes that meet all criteria, by PID. What `exclude` names is still among them. */
  readonly processes: readonly ProcessSummary[];
  /** The process was named by its PID. */
  readonly byPid: boolean;
}

/** A process, not a thread: /proc/TID answers for threads too, though it is not listed. */
function isProcess(table: ProcessTable, pid: number): boolean {
  return table.status(pid)?.tgid === pid;
}

/** The PID that `--process` names, if there is such a process; else the digits may still be a name. */
function namedPid(criteria: ProcessCriteria, table: ProcessTable): number | undefined {
  const { process } = criteria;
  return process !== undefined && isPidText(process) && isProcess(table, Number(process)) ? Number(process) : undefined;
}

/** The tests that need more than a name, cheapest first. */
function furtherTests(criteria: ProcessCriteria, table: ProcessTable): readonly ((pid: number) => boolean)[] {
  const tests: ((pid: number) => boolean)[] = [];
  if (criteria.user !== undefined) {
    const uid = userId(criteria.user);
    tests.push((pid) => table.status(pid)?.effectiveUid === uid);
  }
  if (criteria.cmdline !== undefined) {
    const pattern = commandLinePattern(criteria.cmdline);
    tests.push((pid) => {
      const argv = table.argv(pid) ?? [];
      // Without arguments (kernel threads) there is no command line, which is not the same as an empty one.
      return argv.length > 0 && pattern.test(argv.join(' '));
    });
  }
  return tests;
}

/**
 * The live processes among these that bear the name.
 *
 * The kernel's name is the cheapest thing to read, so it decides first. Namesakes are often neighbours, forked by one
 * parent: after a hit the next process is taken for another one and its stat line, which a hit needs, read at once.
 */
function sift(table: ProcessTable, pids: readonly number[], name: NameMatcher | undefined): readonly ProcessSummary[] {
  const summaries: ProcessSummary[] = [];
  let hit = name === undefined;
  for (const pid of pids) {
    if (!hit && name?.maybe(table.comm(pid) ?? '') === false) continue;
    const summary = summaryOf(table, pid);
    // The name is looked at again: since the first look the PID may have changed hands, or the process its name.
    hit = summary !== undefined && (name === undefined || name.matches(table, pid, summary.comm));
    if (summary !== undefined && hit) summaries.push(summary);
  }
  return summaries;
}

/**
 * The live processes that meet all criteria. Choosing among them is not done here.
 *
 * A row of digits is a PID first; only where no process has it is it a name.
 *
 * @throws {FaultlineError} USER_UNKNOWN, CGROUP_NOT_FOUND
 */
export function matchProcesses(criteria: ProcessCriteria, table: ProcessTable): Match {
  const { process, cgroup } = criteria;
  const tests = furtherTests(criteria, table);
  const inCgroup = cgroup === undefined ? undefined : cgroupMembers(cgroup);
  const pid = namedPid(criteria, table);
  const name = process === undefined || pid !== undefined ? undefined : nameMatcher(process);
  const pids = pid === undefined ? table.pids() : [pid];
  const candidates = inCgroup === undefined ? pids : pids.filter((one) => inCgroup.has(one));
  const processes = sift(table, candidates, name).filter((one) => tests.every((test) => test(one.identity.pid)));
  if (cgroup === undefined || processes.length === 0) return { processes, byPid: pid !== undefined };
  // Again, now that the identities are known: a member may have died, and its PID passed to a process elsewhere.
  const members = cgroupMembers(cgroup);
  return { processes: processes.filter((one) => members.has(one.identity.pid)), byPid: pid !== undefined };
}
