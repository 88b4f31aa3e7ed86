import { formatDuration } from '../base/duration.ts';
import { signalName } from '../linux/signals.ts';
import { userName } from '../linux/users.ts';
import type { DeathRecord, Party } from './death-record.ts';
import { faultText } from './fault-codes.ts';

/*
 * A death in words. Names and paths in them are strangers': print them as `printable` has them.
 */

/** SI_TIMER of include/uapi/asm-generic/siginfo.h */
const SI_TIMER = -2;
/** SI_KERNEL of include/uapi/asm-generic/siginfo.h */
const SI_KERNEL = 0x80;

const kibPerMib = 1024;

const users = new Map<number, string>();

/** A user by name where there is one; looked up once. */
export function userText(uid: number): string {
  const known = users.get(uid);
  if (known !== undefined) return known;
  const found = userName(uid) ?? `uid ${uid}`;
  users.set(uid, found);
  return found;
}

/** @param near where it is not told that somebody is */
function partyText({ pid, name, uid, cgroup }: Party, near: string | null): string {
  const user = uid === null ? '' : ` of ${userText(uid)}`;
  return `pid ${pid} (${name})${user}${cgroup === null || cgroup === near ? '' : ` in ${cgroup}`}`;
}

/** Who sent the signal: `sent by pid 99 (pkill) of root in /user.slice`; undefined where that is not known. */
export function senderText({ pid, cgroup, sender, signal }: DeathRecord): string | undefined {
  if (sender !== null) return sender.pid === pid ? 'sent by itself' : `sent by ${partyText(sender, cgroup)}`;
  if (signal === null) return undefined;
  if (signal.code === SI_TIMER) return 'by a timer of its own';
  const fault = signal.code > 0 && signal.code !== SI_KERNEL ? faultText(signal.number, signal.code) : undefined;
  if (fault !== undefined) return `by the kernel, for ${fault}`;
  return signal.code >= SI_KERNEL ? 'sent by the kernel' : undefined;
}

function mib(kib: number | null): string | undefined {
  return kib === null ? undefined : `${(kib / kibPerMib).toFixed(1)} MiB`;
}

const scopes = {
  global: 'the host ran out of memory',
  cgroup: 'a cgroup reached its limit',
  cpuset: 'the memory of its cpuset ran out',
  mempolicy: 'the memory of its policy ran out',
} as const;

/** Why and with what the OOM killer chose it: `the limit of /box was reached; it had 40.2 MiB anonymous …` */
export function oomText(oom: NonNullable<DeathRecord['oom']>): string {
  const { scope, limitCgroup, anonRssKib, fileRssKib, shmemRssKib, totalVmKib, oomScoreAdj } = oom;
  const limit = limitCgroup === null ? undefined : `the limit of ${limitCgroup} was reached`;
  const resident = [
    [mib(anonRssKib), 'anonymous'],
    [mib(fileRssKib), 'file'],
    [mib(shmemRssKib), 'shared'],
  ].flatMap(([size, what]) => (size === undefined ? [] : [`${size} ${what}`]));
  const mapped = mib(totalVmKib);
  const adjusted = oomScoreAdj === null || oomScoreAdj === 0 ? [] : [`oom_score_adj ${oomScoreAdj}`];
  return [
    limit ?? (scope === null ? undefined : scopes[scope]),
    resident.length === 0 ? undefined : `it had ${resident.join(', ')}${mapped === undefined ? '' : ` of ${mapped}`}`,
    ...adjusted,
  ]
    .filter((part) => part !== undefined)
    .join('; ');
}

/** How it ended: `exited with 3`, `died of SIGSEGV, core dumped`, `exited with 0, 120 ms after SIGTERM`. */
export function endText({ end, oom, signal }: DeathRecord): string {
  if (oom !== null) return 'was killed by the OOM killer';
  if (end === null) return 'ended; how was not seen';
  if (end.kind === 'signaled') {
    return `died of ${signalName(end.signal) ?? `signal ${end.signal}`}${end.coreDumped ? ', core dumped' : ''}`;
  }
  const asked =
    signal === null
      ? ''
      : `, ${formatDuration(signal.beforeMs)} after ${signalName(signal.number) ?? `signal ${signal.number}`}`;
  return `exited with ${end.code}${asked}`;
}

/** The same with who sent the signal, or why the OOM killer chose it: `died of SIGTERM, sent by pid 99 (pkill)` */
export function endWithCause(record: DeathRecord): string {
  const { oom } = record;
  const why = oom === null ? senderText(record) : oomText(oom);
  if (why === undefined || why === '') return endText(record);
  return `${endText(record)}${oom === null ? ', ' : ': '}${why}`;
}

/** Who it was: `pid 4123 (nginx, 7 in its namespace)` */
export function whoText({ pid, nsPid, name }: DeathRecord): string {
  return `pid ${pid} (${name}${nsPid === null ? '' : `, ${nsPid} in its namespace`})`;
}
