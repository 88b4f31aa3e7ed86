import { cgroupMembers } from '../linux/cgroupfs.ts';
import { userId } from '../linux/users.ts';
import { matchesOf } from './bounded-regex.ts';
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

type Sieve = (processes: readonly ProcessSummary[]) => readonly ProcessSummary[];

const letAllThrough: Sieve = (processes) => processes;

function userSieve(user: string | undefined, table: ProcessTable): Sieve {
  if (user === undefined) return letAllThrough;
  const uid = userId(user);
  return (processes) => processes.filter(({ identity }) => table.status(identity.pid)?.effectiveUid === uid);
}

function commandLineSieve(cmdline: string | undefined, table: ProcessTable): Sieve {
  if (cmdline === undefined) return letAllThrough;
  const pattern = commandLinePattern(cmdline);
  return (processes) => {
    // Without arguments (kernel threads) there is no command line, which is not the same as an empty one.
    const withArguments = processes.filter(({ identity }) => (table.argv(identity.pid) ?? []).length > 0);
    const lines = withArguments.map(({ identity }) => (table.argv(identity.pid) ?? []).join(' '));
    const hits = matchesOf(pattern, lines);
    return withArguments.filter((_, index) => hits[index] === true);
  };
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
 * @throws {FaultlineError} USER_UNKNOWN, CGROUP_NOT_FOUND; REGEX_INVALID: one that takes too long
 */
export function matchProcesses(criteria: ProcessCriteria, table: ProcessTable): Match {
  const { process, cgroup } = criteria;
  const ofUser = userSieve(criteria.user, table);
  const withLine = commandLineSieve(criteria.cmdline, table);
  const inCgroup = cgroup === undefined ? undefined : cgroupMembers(cgroup);
  const pid = namedPid(criteria, table);
  const name = process === undefined || pid !== undefined ? undefined : nameMatcher(process);
  const pids = pid === undefined ? table.pids() : [pid];
  const candidates = inCgroup === undefined ? pids : pids.filter((one) => inCgroup.has(one));
  const processes = withLine(ofUser(sift(table, candidates, name)));
  if (cgroup === undefined || processes.length === 0) return { processes, byPid: pid !== undefined };
  // Again, now that the identities are known: a member may have died, and its PID passed to a process elsewhere.
  const members = cgroupMembers(cgroup);
  return { processes: processes.filter((one) => members.has(one.identity.pid)), byPid: pid !== undefined };
}
