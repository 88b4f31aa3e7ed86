/*
 * The lines that the OOM killer writes: mm/oom_kill.c, mm/memcontrol.c and mm/show_mem.c of Linux 4.0 to 6.18, and
 * the variants of RHEL 6 and 7. A line that is cut short is none of them, nor is one with a number that no process has:
 * better no answer than a wrong one.
 *
 * A process names itself, so its name may look like any part of a line. It has 15 bytes at most, four characters each
 * where dmesg escapes them, and what stands after it is looked for from the end.
 */

import { pattern } from './pattern.ts';

/** One row of the table of tasks; memory in pages unless it says otherwise. */
export interface OomTask {
  readonly pid: number;
  readonly tgid: number;
  readonly uid: number;
  readonly name: string;
  readonly totalVmPages: number;
  readonly rssPages: number;
  readonly swapPages: number;
  /** Bytes since 4.15; before, the kernel counts tables of a page each. */
  readonly pageTables: { readonly unit: 'bytes' | 'pages'; readonly amount: number };
  readonly oomScoreAdj: number;
  /** Since 6.8; null before. */
  readonly rssParts: { readonly anon: number; readonly file: number; readonly shmem: number } | null;
}

export interface OomVictim {
  readonly pid: number;
  readonly name: string;
  readonly uid: number | null;
  readonly totalVmKib: number;
  readonly anonRssKib: number;
  readonly fileRssKib: number;
  readonly shmemRssKib: number;
  /** As printed; 5.4 and 5.5 print bytes and call them kB. */
  readonly pageTables: number | null;
  readonly oomScoreAdj: number | null;
}

export type OomScope = 'global' | 'cgroup' | 'cpuset' | 'mempolicy';

export type OomLine =
  | {
      readonly type: 'invoked';
      readonly name: string;
      readonly gfpMask: string | null;
      /** -1: somebody asked for it by SysRq-f. */
      readonly order: number | null;
      readonly oomScoreAdj: number | null;
    }
  | { readonly type: 'cpu'; readonly pid: number; readonly name: string; readonly release: string }
  | { readonly type: 'limit-of'; readonly taskCgroup: string | null; readonly limitCgroup: string }
  | { readonly type: 'usage'; readonly what: string; readonly usageKib: number; readonly limitKib: number }
  | { readonly type: 'amount'; readonly what: 'ram-pages' | 'reserved-pages' | 'swap-kib'; readonly amount: number }
  | { readonly type: 'header'; readonly columns: readonly string[] }
  | { readonly type: 'row'; readonly text: string }
  | {
      readonly type: 'constraint';
      readonly scope: OomScope;
      readonly limitCgroup: string | null;
      readonly taskCgroup: string | null;
      readonly name: string;
      readonly pid: number;
      readonly uid: number;
    }
  | {
      readonly type: 'chosen';
      readonly pid: number;
      readonly name: string;
      readonly score: number;
      readonly cgroup: boolean;
      readonly allocatingTask: boolean;
    }
  | { readonly type: 'killed'; readonly victim: OomVictim; readonly message: string | null }
  | { readonly type: 'reaped'; readonly pid: number; readonly name: string; readonly done: boolean }
  | { readonly type: 'group'; readonly cgroup: string }
  | { readonly type: 'panic'; readonly how: string }
  | { readonly type: 'nobody' };

const name = String.raw`([^]{0,60}?)`;
const invoked = new RegExp(`^${name} invoked oom-killer: (?=gfp_mask=)([^]*)$`);
const cpu =
  /^CPU: \d+ (?:UID: \d+ )?PID: (\d{1,7}) Comm: ([^]{0,60}?) (?:Not tainted|Tainted: [A-Z ]+) *(\d+\.\d+[^ ]*)/;
const limitOf = /^(?:Task in (\/[^]*) killed as a result of limit of|Memory limit reached of cgroup) (\/[^]*)$/;
const usage = /^(memory|memory\+swap|swap|kmem): usage (\d+)kB, limit (\d+)kB, failcnt \d+$/;
const amounts = [
  ['ram-pages', /^(\d+) pages (?:of )?RAM$/],
  ['reserved-pages', /^(\d+) (?:pages reserved|reserved pages)$/],
  ['swap-kib', /^Total swap = (\d+)kB$/],
] as const;
const header = /^\[ *pid *\] +uid +tgid +total_vm +rss +([a-z_ ]*?) *name$/;
const row = /^\[ *\d+\] +\d+ +\d+ +\d+ +\d+ /;
const constraint = /^oom-kill:constraint=CONSTRAINT_(NONE|CPUSET|MEMORY_POLICY|MEMCG),/;
const constraintVictim = /,task=((?:(?!,task=)[^]){0,60}),pid= *(\d{1,7}),uid= *(\d{1,10})$/;
const chosen = pattern(
  String.raw`^(Memory cgroup out of memory|Out of memory)( \(oom_kill_allocating_task\))?: `,
  String.raw`Kill process (\d{1,7}) \(([^]{0,60})\) score (\d{1,9}) or sacrifice child$`,
);
const killed = pattern(
  String.raw`^(?:((?:Memory cgroup out|Out) of memory[^:]{0,40}): )?Killed process (\d{1,7})(?:, UID (\d{1,10}),)? `,
  String.raw`\(([^]{0,60})\)(?:, UID (\d+),|,)? total-vm:(\d+)kB, anon-rss:(\d+)kB, file-rss:(\d+)kB([^]*)$`,
);
const killedRest = /^(?:, shmem-rss:(\d+)kB)?(?:, UID:(\d+))?(?:,? pgtables:(\d+)(?:kB)?)?(?: oom_score_adj:(-?\d+))?$/;
const reaped = pattern(
  String.raw`^oom_reaper: (?:reaped process (\d{1,7}) \(([^]{0,60})\), now anon-rss:\d+kB`,
  String.raw`|unable to reap pid:(\d{1,7}) \(([^]{0,60})\))`,
);
const group = /^Tasks in (\/[^]*) are going to be killed due to memory\.oom\.group set$/;
const panic = /^Kernel panic - not syncing: Out of memory: (compulsory|system-wide) panic_on_oom/;
const nobody =
  /^(?:Out of memory and no killable processes|Kernel panic - not syncing: System is deadlocked on memory)/;

const scopes: Readonly<Record<string, OomScope>> = {
  NONE: 'global',
  CPUSET: 'cpuset',
  MEMORY_POLICY: 'mempolicy',
  MEMCG: 'cgroup',
};

const optionalNumber = (text: string | undefined): number | null => (text === undefined ? null : Number(text));

function fromInvoked([, who = '', rest = '']: RegExpExecArray): OomLine {
  const order = /(?:^|[ ,])order=(-?\d+)/.exec(rest)?.[1];
  const adj = /oom_score_adj=(-?\d+)$/.exec(rest)?.[1];
  const gfpMask = /^gfp_mask=([^,]*)/.exec(rest)?.[1] ?? null;
  return { type: 'invoked', name: who, gfpMask, order: optionalNumber(order), oomScoreAdj: optionalNumber(adj) };
}

/** A cgroup's path may hold commas, but what stands before and after it is known. */
function fromConstraint(line: string, [head, scope = '']: RegExpExecArray): OomLine | undefined {
  const victim = constraintVictim.exec(line);
  if (victim === null) return undefined;
  const [, who = '', pid, uid] = victim;
  const about = line.slice(head.length, victim.index);
  const [, limitCgroup = null, taskCgroup = null] =
    /,(?:global_oom|oom_memcg=(\/[^]*?))(?:,task_memcg=(\/[^]*))?$/.exec(about) ?? [];
  return {
    type: 'constraint',
    scope: scopes[scope] ?? 'global',
    limitCgroup,
    taskCgroup,
    name: who,
    pid: Number(pid),
    uid: Number(uid),
  };
}

function fromKilled(match: RegExpExecArray): OomLine | undefined {
  const [, message, pid, uidBefore, who = '', uidAfter, totalVm, anon, file, rest = ''] = match;
  const tail = killedRest.exec(rest);
  if (tail === null) return undefined;
  const [, shmem, uid, pageTables, adj] = tail;
  return {
    type: 'killed',
    message: message ?? null,
    victim: {
      pid: Number(pid),
      name: who,
      uid: optionalNumber(uid ?? uidBefore ?? uidAfter),
      totalVmKib: Number(totalVm),
      anonRssKib: Number(anon),
      fileRssKib: Number(file),
      shmemRssKib: Number(shmem ?? 0),
      pageTables: optionalNumber(pageTables),
      oomScoreAdj: optionalNumber(adj),
    },
  };
}

function fromChosen([, message = '', allocating, pid, who = '', score]: RegExpExecArray): OomLine {
  return {
    type: 'chosen',
    pid: Number(pid),
    name: who,
    score: Number(score),
    cgroup: message.startsWith('Memory cgroup'),
    allocatingTask: allocating !== undefined,
  };
}

/** Lines that tell of the victim. */
function victimLine(message: string): OomLine | undefined {
  const told = killed.exec(message);
  if (told !== null) return fromKilled(told);
  const picked = chosen.exec(message);
  if (picked !== null) return fromChosen(picked);
  const bound = constraint.exec(message);
  if (bound !== null) return fromConstraint(message, bound);
  const gone = reaped.exec(message);
  if (gone !== null) {
    const [, pid, who, stuckPid, stuckName] = gone;
    const done = pid !== undefined;
    return { type: 'reaped', pid: Number(pid ?? stuckPid), name: who ?? stuckName ?? '', done };
  }
  const set = group.exec(message)?.[1];
  if (set !== undefined) return { type: 'group', cgroup: set };
  const how = panic.exec(message)?.[1];
  if (how !== undefined) return { type: 'panic', how };
  return nobody.test(message) ? { type: 'nobody' } : undefined;
}

/** Lines of the report around it: they mean something only within one. */
function reportLine(message: string): OomLine | undefined {
  const used = usage.exec(message);
  if (used !== null) {
    return { type: 'usage', what: used[1] ?? '', usageKib: Number(used[2]), limitKib: Number(used[3]) };
  }
  const limited = limitOf.exec(message);
  if (limited !== null) return { type: 'limit-of', taskCgroup: limited[1] ?? null, limitCgroup: limited[2] ?? '' };
  const on = cpu.exec(message);
  if (on !== null) return { type: 'cpu', pid: Number(on[1]), name: on[2] ?? '', release: on[3] ?? '' };
  for (const [what, written] of amounts) {
    const amount = written.exec(message)?.[1];
    if (amount !== undefined) return { type: 'amount', what, amount: Number(amount) };
  }
  return undefined;
}

function tableLine(message: string): OomLine | undefined {
  if (row.test(message)) return { type: 'row', text: message };
  const columns = header.exec(message)?.[1];
  return columns === undefined
    ? undefined
    : { type: 'header', columns: columns.split(/ +/).filter((one) => one !== '') };
}

/** What some line begins with, but for the one that begins with a name. */
const beginnings = /^(?:[KMOTmsko0-9]|CPU: )/;

/** What the OOM killer says in a message of the kernel; undefined when it is none of its. */
export function parseOomLine(message: string): OomLine | undefined {
  const begun = message.includes(' invoked oom-killer: ') ? invoked.exec(message) : null;
  if (begun !== null) return fromInvoked(begun);
  if (message.startsWith('[')) return tableLine(message);
  return beginnings.test(message) ? (victimLine(message) ?? reportLine(message)) : undefined;
}

const rowPatterns = new Map<number, RegExp>();

function rowPattern(numbers: number): RegExp {
  const known = rowPatterns.get(numbers);
  if (known !== undefined) return known;
  const rest = String.raw` +(-?\d+)`.repeat(numbers - 1);
  const made = pattern(String.raw`^\[ *(\d+)\]${rest} ([^]{0,60})$`);
  rowPatterns.set(numbers, made);
  return made;
}

/** A row of the table, by the columns that its header named after `rss`; undefined when it is cut short. */
export function parseTask(text: string, columns: readonly string[]): OomTask | undefined {
  const numbers = ['pid', 'uid', 'tgid', 'total_vm', 'rss', ...columns];
  const match = rowPattern(numbers.length).exec(text);
  if (match === null) return undefined;
  const value = (column: string): number => Number(match[numbers.indexOf(column) + 1] ?? 0);
  const has = (column: string): boolean => numbers.includes(column);
  if (!has('oom_score_adj')) return undefined;
  const task: OomTask = {
    pid: value('pid'),
    tgid: value('tgid'),
    uid: value('uid'),
    name: match[numbers.length + 1] ?? '',
    totalVmPages: value('total_vm'),
    rssPages: value('rss'),
    swapPages: has('swapents') ? value('swapents') : 0,
    pageTables: has('pgtables_bytes')
      ? { unit: 'bytes', amount: value('pgtables_bytes') }
      : {
          unit: 'pages',
          amount: (has('nr_ptes') ? value('nr_ptes') : 0) + (has('nr_pmds') ? value('nr_pmds') : 0),
        },
    oomScoreAdj: value('oom_score_adj'),
    rssParts: has('rss_anon') ? { anon: value('rss_anon'), file: value('rss_file'), shmem: value('rss_shmem') } : null,
  };
  return Object.freeze(task);
}
