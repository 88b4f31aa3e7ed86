import { FaultlineError } from '../base/error.ts';
import { count, printable } from '../base/text.ts';
import { describeCriteria, type ProcessCriteria } from './criteria.ts';
import { isDead } from './identity.ts';
import { isPidText, nameMatcher } from './name-match.ts';
import { nearNames } from './near-names.ts';
import type { ProcessTable } from './process-table.ts';

/** Why a PID that was named is no target, if it is anything at all. */
function aboutPid(table: ProcessTable, pid: number): string | undefined {
  const stat = table.stat(pid);
  const tgid = table.status(pid)?.tgid;
  if (stat === undefined || tgid === undefined) return undefined;
  if (tgid !== pid) return `${pid} is a thread of process ${tgid}; name the process`;
  if (!isDead(stat)) return 'there is such a process, but it does not meet the other criteria';
  return `process ${pid} (${printable(stat.comm)}) has died already; its parent ${stat.ppid} has not asked how`;
}

/** Why processes of that name are no targets, if there are any. */
function aboutNamesakes(table: ProcessTable, name: string): string | undefined {
  const matcher = nameMatcher(name);
  let [dead, alive] = [0, 0];
  for (const pid of table.pids()) {
    const comm = table.comm(pid) ?? '';
    const stat = matcher.maybe(comm) ? table.stat(pid) : undefined;
    // The dead have no arguments: where the name was cut, what is left of it must do.
    if (stat !== undefined && isDead(stat)) dead += 1;
    else if (stat !== undefined && matcher.matches(table, pid, comm)) alive += 1;
  }
  if (alive > 0) return `${count(alive, 'process has', 'processes have')} that name, but not the rest of the criteria`;
  if (dead === 0) return undefined;
  return (
    `${count(dead, 'process', 'processes')} of that name ${dead === 1 ? 'is a zombie' : 'are zombies'}: ` +
    `dead already`
  );
}

function didYouMean(names: readonly string[]): string | undefined {
  const quoted = names.map((name) => `"${printable(name)}"`);
  const last = quoted.pop();
  if (last === undefined) return undefined;
  return `did you mean ${quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`}?`;
}

function hintFor(criteria: ProcessCriteria, table: ProcessTable): string {
  const { process, cmdline } = criteria;
  if (process !== undefined) {
    const about = isPidText(process) ? aboutPid(table, Number(process)) : undefined;
    const hint = about ?? aboutNamesakes(table, process);
    if (hint !== undefined) return hint;
    if (isPidText(process)) return 'list the processes with ps -eo pid,comm';
    return didYouMean(nearNames(table, process)) ?? 'names are compared whole and case matters; see ps -eo pid,comm';
  }
  if (cmdline !== undefined) return 'case matters; see ps -eo pid,args for what the pattern is tested against';
  return 'zombies are no targets; see ps -eo pid,user,comm,cgroup';
}

/**
 * A name that nobody has is a fact about the host; one that looks like a number gone wrong (`NaN`, `1e3`, `0x10`), or
 * that has characters beyond ASCII, is most likely a mistake in the arguments.
 */
function codeFor(name: string | undefined): 'PROCESS_NOT_FOUND' | 'PID_INVALID' | 'NAME_INVALID' {
  if (name === undefined || isPidText(name)) return 'PROCESS_NOT_FOUND';
  if (/^[+-]?(?:nan|infinity|\.?\d[\d.]*(?:e[+-]?\d+)?|0x[\da-f]+)$/iu.test(name)) return 'PID_INVALID';
  return /^[\x20-\x7e]*$/u.test(name) ? 'PROCESS_NOT_FOUND' : 'NAME_INVALID';
}

/**
 * The error for a selection that found nobody: says what was looked for, and why that may be nobody.
 *
 * @param excluded how many met the criteria and were taken out by `exclude`
 */
export function processNotFound(criteria: ProcessCriteria, table: ProcessTable, excluded: number): FaultlineError {
  const phrase = describeCriteria(criteria);
  if (excluded > 0) {
    const all = excluded === 1 ? 'the only live process' : `all ${excluded} live processes`;
    const sentence = `${all} ${phrase} ${excluded === 1 ? 'is' : 'are'} excluded`;
    return new FaultlineError('PROCESS_NOT_FOUND', sentence, { hint: 'exclude fewer of them' });
  }
  return new FaultlineError(codeFor(criteria.process), `there is no live process ${phrase}`, {
    hint: hintFor(criteria, table),
  });
}

/** The error for a selection that found somebody again and again, who was gone each time when looked at. */
export function allVanished(criteria: ProcessCriteria): FaultlineError {
  const sentence = `the live processes ${describeCriteria(criteria)} ended as soon as they were found`;
  return new FaultlineError('PROCESS_NOT_FOUND', sentence, {
    hint: 'they live for moments only: name what starts them',
  });
}
