import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { formatDuration } from '../../../base/duration.ts';
import { count, printable } from '../../../base/text.ts';
import { bootTimeMs } from '../../../linux/clock.ts';
import { readMemoryCgroup } from '../../../linux/memory-cgroup.ts';
import { closeOomScoreAdj, openOomScoreAdj, writeOomScoreAdj } from '../../../linux/oom-score-adj.ts';
import { exitStatus, hasExited } from '../../../linux/pidfd.ts';
import { readOomScoreAdj } from '../../../linux/procfs/oom.ts';
import { randomUuid } from '../../../linux/random-uuid.ts';
import { closeProcess, openProcess, type ProcessHandle } from '../../../targets/handle.ts';
import type { Effect, Journal, Plan, Settlement, Site, TargetVerdict } from '../../fault.ts';
import { intents, orderToText, type Victim, victimOf } from './effects.ts';
import { hogExit } from './hog.ts';
import { recoverOom } from './recover.ts';
import { highestAdj } from './room.ts';
import type { OomSpec } from './spec.ts';

const pollMs = 10;

/** How long the kernel may take from the kill to the end of the victim, in milliseconds. */
const dyingMs = 5_000;

/** How long what fills the cgroup may take to notice that the OOM killer has struck, and end, in milliseconds. */
const hogEndMs = 1_000;

/** How long the parent gets to reap it: only then does the kernel tell how it ended. */
const reapMs = 50;

/** What came of one attempt. */
interface Outcome {
  readonly verdict: TargetVerdict['verdict'];
  readonly seen: string;
  readonly ended: boolean;
  readonly evidence: Record<string, string | number | boolean | null>;
}

/** A process of our own must not inherit what was meant for the command: a debugger's port, a coverage folder. */
function hogEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_V8_COVERAGE: _coverage, ...rest } = process.env;
  return rest;
}

function startHog({ program, stateDir }: Site, victim: Victim, token: string, leaseMs: number): ChildProcess {
  const [interpreter = '', ...script] = program;
  const { cgroup, limitBytes, identity } = victim;
  const order = orderToText({ token, parentPid: process.pid, cgroup, victimPid: identity.pid, limitBytes, leaseMs });
  const child = spawn(interpreter, [...script, 'fault-program', '--state-dir', stateDir, 'process', 'hog', order], {
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    env: hogEnvironment(),
  });
  child.on('error', () => undefined);
  // Its end may come before ours is written.
  child.stdin.on('error', () => undefined);
  return child;
}

function isOver({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}

async function endHog(child: ChildProcess): Promise<void> {
  if (isOver(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** @throws {SyscallError} EACCES, EPERM: it is another user's */
function raise({ identity }: Victim, handle: ProcessHandle): boolean {
  const file = openOomScoreAdj(identity.pid);
  if (file === undefined) return false;
  try {
    // The file was opened after the pidfd; while that process lives, it is that process's.
    return !hasExited(handle.pidfd) && writeOomScoreAdj(file, highestAdj);
  } finally {
    closeOomScoreAdj(file);
  }
}

function hogText(child: ChildProcess): string | undefined {
  if (child.pid === undefined) return 'the process that fills the cgroup could not be started';
  if (child.signalCode !== null) return `the process that fills the cgroup died of ${child.signalCode}`;
  if (child.exitCode === hogExit.full) return 'as much was taken as the limit is, and it is swapped out';
  if (child.exitCode === hogExit.hostScarce) return 'the host ran short of memory: given up';
  if (child.exitCode === hogExit.done || child.exitCode === null) return undefined;
  return `the process that fills the cgroup ended with ${child.exitCode}`;
}

async function reaped(handle: ProcessHandle, journal: Journal): Promise<ReturnType<typeof exitStatus>> {
  const untilMs = bootTimeMs() + reapMs;
  for (;;) {
    const status = exitStatus(handle.pidfd);
    if (status !== undefined || bootTimeMs() > untilMs) return status;
    await journal.sleep(1);
  }
}

/** Was it the second victim? Where the first had too little, it is killed before it sees that it has done its work. */
async function wasKilledAsWell(child: ChildProcess, journal: Journal): Promise<boolean> {
  const untilMs = bootTimeMs() + hogEndMs;
  while (!isOver(child) && bootTimeMs() < untilMs) await journal.sleep(pollMs);
  return child.signalCode === 'SIGKILL';
}

interface Attempt {
  readonly victim: Victim;
  readonly handle: ProcessHandle;
  readonly child: ChildProcess;
  /** Kills of the OOM killer in the cgroup before. */
  readonly killsBefore: number;
  readonly beganMs: number;
}

async function judge({ victim, handle, child, killsBefore, beganMs }: Attempt, journal: Journal): Promise<Outcome> {
  const endedBootMs = bootTimeMs();
  const afterMs = Math.max(0, endedBootMs - beganMs);
  // The cgroup may go with its last process, and be made anew for the next.
  const killsAtOnce = readMemoryCgroup(victim.cgroup)?.oomKills ?? killsBefore;
  const path = printable(victim.cgroup.path);
  const ended = hasExited(handle.pidfd);
  const status = ended ? await reaped(handle, journal) : undefined;
  // A process of our own is nobody's loss. Its kill is counted before it is killed.
  const ours = ended && (await wasKilledAsWell(child, journal)) ? 1 : 0;
  const killsLater = readMemoryCgroup(victim.cgroup)?.oomKills ?? -1;
  const kills = killsLater < killsAtOnce ? killsAtOnce - killsBefore : killsLater - killsBefore - ours;
  const evidence = { ended, afterMs, oomKills: kills, cgroup: victim.cgroup.path, sentBootMs: beganMs, endedBootMs };
  const after = formatDuration(afterMs);
  const others = kills > 1 ? `; ${count(kills, 'process was', 'processes were')} killed in all` : '';
  if (!ended) {
    const why = hogText(child) ?? `not within ${after}`;
    return { verdict: 'mismatch', seen: `was not killed by the OOM killer: ${why}${others}`, ended, evidence };
  }
  const bySignal = status === undefined || (status.kind === 'signaled' && status.signal === 9);
  if (kills > 0 && bySignal) {
    return {
      verdict: 'confirmed',
      seen: `the OOM killer of ${path} killed it after ${after}${others}`,
      ended,
      evidence,
    };
  }
  return { verdict: 'mismatch', seen: `ended after ${after}, but not by the OOM killer of ${path}`, ended, evidence };
}

/** Wait until the victim is gone, or it is clear that it will not be killed. */
async function untilClear(attempt: Attempt, waitMs: number, journal: Journal): Promise<void> {
  const { handle, child, beganMs, victim, killsBefore } = attempt;
  let killedMs: number | undefined;
  for (;;) {
    const nowMs = bootTimeMs();
    if (hasExited(handle.pidfd) || nowMs - beganMs > waitMs) return;
    if ((readMemoryCgroup(victim.cgroup)?.oomKills ?? 0) > killsBefore) killedMs ??= nowMs;
    // A kill is followed by a death, if it was the victim's.
    if (isOver(child) && (killedMs === undefined || nowMs - killedMs > dyingMs)) return;
    await journal.sleep(pollMs);
  }
}

function settleKilled(
  [adj, hog, kill]: readonly Effect[],
  { ended, seen, verdict, evidence }: Outcome,
): readonly Settlement[] {
  if (adj === undefined || hog === undefined || kill === undefined) throw new Error('a victim has three effects');
  return [
    { effect: hog, status: 'undone', outcome: { seen: 'has ended' } },
    { effect: adj, status: ended ? 'undone' : 'applied', outcome: { seen: ended ? 'is gone' : 'raised' } },
    { effect: kill, status: ended && verdict === 'confirmed' ? 'applied' : 'refused', outcome: { seen, ...evidence } },
  ];
}

/** A victim that lives gets its oom_score_adj back at once. */
async function conclude(effects: readonly Effect[], outcome: Outcome, journal: Journal): Promise<Outcome> {
  journal.settle(settleKilled(effects, outcome));
  const [adj] = effects;
  if (!outcome.ended && adj !== undefined) await recoverOom([{ ...adj, status: 'applied' }], journal);
  return outcome;
}

async function attempt(
  victim: Victim,
  handle: ProcessHandle,
  spec: OomSpec,
  journal: Journal,
  site: Site,
): Promise<Outcome> {
  const token = randomUuid();
  const adj = readOomScoreAdj(victim.identity.pid) ?? 0;
  const effects = await journal.intend(() => intents(victim, adj, token));
  const killsBefore = readMemoryCgroup(victim.cgroup)?.oomKills ?? 0;
  if (!raise(victim, handle)) {
    const gone = {
      verdict: 'inconclusive',
      seen: 'was gone before its cgroup was filled',
      ended: true,
      evidence: {},
    } as const;
    return conclude(effects, gone, journal);
  }
  const child = startHog(site, victim, token, spec.waitMs + dyingMs);
  try {
    journal.progress(`filling ${victim.cgroup.path}`, 0, 1);
    const running = { victim, handle, child, killsBefore, beganMs: bootTimeMs() };
    await untilClear(running, spec.waitMs, journal);
    const outcome = await judge(running, journal);
    await endHog(child);
    return await conclude(effects, outcome, journal);
  } finally {
    await endHog(child);
  }
}

/** Fill the cgroup of each victim in turn, and see the OOM killer kill it. */
export async function injectOom(plan: Plan, journal: Journal, site: Site): Promise<readonly TargetVerdict[]> {
  const spec = plan.data['spec'] as unknown as OomSpec;
  const verdicts: TargetVerdict[] = [];
  for (const planned of plan.targets.filter(({ about }) => about['role'] === 'victim')) {
    const victim = victimOf(planned);
    const target = { key: planned.key, label: planned.label };
    const opened = openProcess(victim.identity);
    if (opened.state !== 'open') {
      verdicts.push({ target, verdict: 'inconclusive', seen: 'was gone before its cgroup was filled', evidence: {} });
      continue;
    }
    try {
      const { verdict, seen, evidence } = await attempt(victim, opened.handle, spec, journal, site);
      verdicts.push({ target, verdict, seen, evidence });
    } finally {
      closeProcess(opened.handle);
    }
  }
  return verdicts;
}
