import { ancestorsOf } from './kinship.ts';
import { type NameMatcher, nameMatcher } from './name-match.ts';
import type { ProcessTable } from './process-table.ts';
import type { ProcessSummary } from './target-process.ts';

/** The rules, in the order in which they are asked. The last two give way to `--allow-protected`. */
export type ProtectionRule = 'pid-1' | 'kernel-thread' | 'self' | 'ancestor' | 'faultline' | 'sshd' | 'policy';

/** Why a process must not be hit. */
export interface Refusal {
  readonly rule: string;
  /** A phrase: `it is init, …` */
  readonly reason: string;
  /** The flag that would allow it, where one may. */
  readonly override?: string;
}

/** Asked for each process that was matched: undefined lets it be hit. */
export type Protection = (process: ProcessSummary, table: ProcessTable) => Refusal | undefined;

export interface ProtectionPolicy {
  /** Names that the host's operator protects; they are matched as `--process` names are. */
  readonly names: readonly string[];
  /** `--allow-protected` was given: sshd and the policy's names may be hit. */
  readonly allowListed: boolean;
}

/** OpenSSH's listener and, from 9.8 on, the programs it was split into; losing them locks the operator out. */
const sshdNames: ReadonlySet<string> = new Set(['sshd', 'sshd-session', 'sshd-auth']);

const override = '--allow-protected';

const always = {
  'pid-1': 'it is init: the host or container goes down with it',
  'kernel-thread': 'it is a kernel thread, which heeds no signal',
  self: 'it is this very command',
  ancestor: 'it is an ancestor of this command, which would lose its terminal or its supervisor',
  faultline: 'it is Faultline, which undoes injections',
} as const satisfies Partial<Record<ProtectionRule, string>>;

function refusal(rule: keyof typeof always): Refusal {
  return Object.freeze({ rule, reason: always[rule] });
}

/** The rules that nothing overrides. A kernel thread is told by PF_KTHREAD: in a container, PID 2 is like any other. */
function unconditional(target: ProcessSummary, isAncestor: (pid: number) => boolean): Refusal | undefined {
  const { pid } = target.identity;
  if (pid === 1) return refusal('pid-1');
  if (target.kernelThread) return refusal('kernel-thread');
  if (pid === process.pid) return refusal('self');
  if (isAncestor(pid)) return refusal('ancestor');
  return target.comm.startsWith('faultline') ? refusal('faultline') : undefined;
}

function listed(target: ProcessSummary, table: ProcessTable, names: readonly NameMatcher[]): Refusal | undefined {
  if (sshdNames.has(target.comm)) {
    return Object.freeze({ rule: 'sshd', reason: 'it is sshd: remote access goes through it', override });
  }
  if (!names.some((name) => name.matches(table, target.identity.pid, target.comm))) return undefined;
  return Object.freeze({ rule: 'policy', reason: `the policy of this host protects ${target.comm}`, override });
}

interface Family {
  readonly parent: number;
  readonly ancestors: ReadonlySet<number>;
  /** On the clock of `performance.now`. */
  readonly seenMs: number;
}

/** How long what was seen of our ancestors is good for, in milliseconds. */
const familyMs = 5_000;

let family: Family | undefined;

/**
 * The processes above us. As long as our parent is the same, those above it can only become fewer: remembered for a
 * while, they are too many at worst, and one that is protected for nothing harms nobody.
 *
 * Without them known, `pid-1` and `self` still hold.
 */
function ownAncestors(table: ProcessTable): ReadonlySet<number> {
  const parent = process.ppid;
  const nowMs = performance.now();
  if (family === undefined || family.parent !== parent || nowMs - family.seenMs > familyMs) {
    family = Object.freeze({ parent, ancestors: ancestorsOf(table, process.pid), seenMs: nowMs });
  }
  return family.ancestors;
}

/** The protection of this host: the built-in rules and the names of its policy. */
export function protectedProcess(policy: ProtectionPolicy): Protection {
  const names = policy.names.map(nameMatcher);
  return (target, table) =>
    unconditional(target, (pid) => ownAncestors(table).has(pid)) ??
    (policy.allowListed ? undefined : listed(target, table, names));
}
