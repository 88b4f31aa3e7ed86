import { textOf } from '../../../base/json.ts';
import { mayStand } from '../../../base/lifecycle.ts';
import { sendSignal } from '../../../linux/pidfd.ts';
import { closeOomScoreAdj, openOomScoreAdj, writeOomScoreAdj } from '../../../linux/oom-score-adj.ts';
import { readCmdline } from '../../../linux/procfs/cmdline.ts';
import { readOomScoreAdj } from '../../../linux/procfs/oom.ts';
import { listPids } from '../../../linux/procfs/process-list.ts';
import { readStat } from '../../../linux/procfs/stat.ts';
import { isErrno, SyscallError } from '../../../linux/syscall-error.ts';
import { closeProcess, openProcess } from '../../../targets/handle.ts';
import { currentState, identityOf } from '../../../targets/identity.ts';
import type { Effect, Journal, TargetVerdict } from '../../fault.ts';
import { identityIn } from './effects.ts';
import { highestAdj } from './room.ts';

const SIGKILL = 9;

interface Undoing {
  readonly verdict: TargetVerdict['verdict'];
  readonly seen: string;
  readonly undone: boolean;
}

function argumentsOf(pid: number): readonly string[] {
  try {
    return readCmdline(pid) ?? [];
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return [];
    throw error;
  }
}

/** Was it started by us to fill a cgroup? Who only mentions the token, as a search for it does, was not. */
function isHog(pid: number, token: string): boolean {
  const argv = argumentsOf(pid);
  return argv.includes('fault-program') && argv.includes('hog') && argv.at(-1)?.includes(token) === true;
}

/** The one that fills the cgroup, wherever it has got to. */
function hogs(token: string): readonly number[] {
  return listPids().filter((pid) => pid !== process.pid && isHog(pid, token));
}

function endHogs({ undo }: Effect): Undoing {
  const token = textOf(undo?.['token']);
  const found = hogs(token);
  for (const pid of found) {
    const stat = readStat(pid);
    const opened = stat === undefined ? undefined : openProcess(identityOf(stat));
    if (opened?.state !== 'open') continue;
    try {
      // Held by a pidfd it is nobody else's: look once more whether it is the one.
      if (isHog(pid, token)) sendSignal(opened.handle.pidfd, SIGKILL);
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error;
    } finally {
      closeProcess(opened.handle);
    }
  }
  const seen = found.length === 0 ? 'has ended' : 'was ended';
  return { verdict: 'confirmed', seen, undone: true };
}

/** Put back what was found, unless it is not ours any more. */
function restore(effect: Effect): Undoing {
  const identity = identityIn(effect);
  const file = openOomScoreAdj(identity.pid);
  try {
    if (file === undefined || currentState(identity) !== 'alive') {
      return { verdict: 'inconclusive', seen: 'is gone: there is nothing to put back', undone: true };
    }
    const now = readOomScoreAdj(identity.pid);
    if (now !== highestAdj) {
      return { verdict: 'confirmed', seen: `has an oom_score_adj of ${now ?? 'nobody'}, not ours`, undone: true };
    }
    const adj = Number(effect.undo?.['adj']);
    writeOomScoreAdj(file, adj);
    return { verdict: 'confirmed', seen: `has its oom_score_adj of ${adj} again`, undone: true };
  } finally {
    if (file !== undefined) closeOomScoreAdj(file);
  }
}

function undo(effect: Effect): Undoing {
  try {
    return effect.type === 'memory-hog' ? endHogs(effect) : restore(effect);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return { verdict: 'mismatch', seen: error.message, undone: false };
  }
}

/** Whoever wrote down a kill and died leaves open whether it came: look. */
function settleKill(effect: Effect): TargetVerdict & { readonly status: 'applied' | 'refused' } {
  const lives = currentState(identityIn(effect)) === 'alive';
  const seen = lives ? 'lives: the OOM killer did not kill it' : 'is gone, and cannot be brought back';
  return { target: effect.target, verdict: 'inconclusive', seen, evidence: {}, status: lives ? 'refused' : 'applied' };
}

/** End what fills a cgroup, then put back what was raised. Idempotent. */
export async function recoverOom(effects: readonly Effect[], journal: Journal): Promise<readonly TargetVerdict[]> {
  const verdicts: TargetVerdict[] = [];
  const ours = effects.filter(({ type }) => type === 'oom-score-adj' || type === 'memory-hog').toReversed();
  const open = ours.filter(({ status }) => mayStand(status));
  if (open.length > 0) await journal.release(open);
  for (const effect of open) {
    const { verdict, seen, undone } = undo(effect);
    journal.settle([{ effect, status: undone ? 'undone' : 'applied', outcome: { ...effect.outcome, recovery: seen } }]);
    verdicts.push({ target: effect.target, verdict, seen, evidence: {} });
  }
  for (const effect of effects.filter(({ type, status }) => type === 'oom-kill' && status === 'intended')) {
    const { status, ...verdict } = settleKill(effect);
    journal.settle([{ effect, status, outcome: { seen: verdict.seen } }]);
    verdicts.push(verdict);
  }
  return verdicts;
}

/** What the victims are now. */
export function observeOom(effects: readonly Effect[]): readonly TargetVerdict[] {
  return effects
    .filter(({ type, status }) => type === 'oom-kill' && status !== 'refused')
    .map((effect) => {
      const state = currentState(identityIn(effect));
      const lives = state === 'alive';
      return {
        target: effect.target,
        verdict: lives ? 'mismatch' : 'confirmed',
        seen: lives ? 'lives' : 'is gone',
        evidence: { state },
      };
    });
}
