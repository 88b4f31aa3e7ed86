import { FaultlineError } from '../../base/error.ts';
import { textOf } from '../../base/json.ts';
import { delay } from '../../base/delay.ts';
import { formatDuration } from '../../base/duration.ts';
import { mayStand, type TargetRef, type Verdict } from '../../base/lifecycle.ts';
import { printable } from '../../base/text.ts';
import { bootTimeMs } from '../../linux/clock.ts';
import { hasExited, sendSignal } from '../../linux/pidfd.ts';
import { readProcessState } from '../../linux/procfs/process-state.ts';
import { SyscallError } from '../../linux/syscall-error.ts';
import { closeProcess, openProcess, type ProcessHandle } from '../../targets/handle.ts';
import type { Effect, Journal, Settlement, TargetVerdict } from '../fault.ts';
import { type CommandResult, commandFailed, runRecoverCommand } from './recover-command.ts';
import { type SignalEffect, SIGCONT, signalEffects } from './signal-effect.ts';

const SIGKILL = 9;

/** How long a continued process may take to be seen running, in milliseconds. */
const continueWaitMs = 2_000;
const pollMs = 2;

/** How many processes are held by a pidfd at a time. */
const batchSize = 256;

/** What became of one effect, and whether that leaves anything to undo. */
interface Undoing {
  readonly one: SignalEffect;
  readonly verdict: Verdict;
  readonly seen: string;
  readonly undone: boolean;
}

const absence = {
  gone: 'is gone: there is nothing to continue',
  reused: 'is gone: its PID belongs to another process now, which was not touched',
  rebooted: 'is gone: the host was rebooted since',
} as const;

interface Continued {
  readonly one: SignalEffect;
  readonly handle: ProcessHandle;
}

/**
 * Continue one process. SIGCONT is sent even if it does not look stopped: the SIGSTOP of an attack that died half way
 * may still be pending, and SIGCONT takes that back, too (signal(7)).
 */
function continueOne(one: SignalEffect): Undoing | Continued | 'no more descriptors' {
  let handle: ProcessHandle | undefined;
  try {
    const opened = openProcess(one.identity);
    if (opened.state !== 'open') return { one, verdict: 'inconclusive', seen: absence[opened.state], undone: true };
    handle = opened.handle;
    sendSignal(handle.pidfd, SIGCONT);
    return { one, handle };
  } catch (error) {
    if (handle !== undefined) closeProcess(handle);
    if (!(error instanceof SyscallError)) throw error;
    if (error.errno === 'EMFILE' || error.errno === 'ENFILE') return 'no more descriptors';
    if (error.errno === 'ESRCH') return { one, verdict: 'inconclusive', seen: absence.gone, undone: true };
    const seen = error.errno === 'EPERM' ? 'not permitted to continue it (EPERM)' : printable(error.message);
    return { one, verdict: 'mismatch', seen, undone: false };
  }
}

function looked({ one, handle }: Continued, over: boolean): Undoing | undefined {
  if (hasExited(handle.pidfd)) return { one, verdict: 'inconclusive', seen: absence.gone, undone: true };
  const state = readProcessState(one.identity.pid);
  if (state === 't') {
    return { one, verdict: 'inconclusive', seen: 'continued; a tracer holds it (state t)', undone: true };
  }
  if (state !== undefined && state !== 'T') {
    return { one, verdict: 'confirmed', seen: `runs again (state ${state})`, undone: true };
  }
  return over ? { one, verdict: 'mismatch', seen: 'is still stopped after SIGCONT', undone: false } : undefined;
}

/** Look until each runs again. */
async function verifyRunning(continued: readonly Continued[]): Promise<readonly Undoing[]> {
  const clear = new Map<Continued, Undoing>();
  const endBootMs = bootTimeMs() + continueWaitMs;
  while (clear.size < continued.length) {
    const over = bootTimeMs() >= endBootMs;
    for (const one of continued) {
      const seen = clear.has(one) ? undefined : looked(one, over);
      if (seen !== undefined) clear.set(one, seen);
    }
    if (clear.size < continued.length) await delay(pollMs);
  }
  return [...clear.values()];
}

interface Tried {
  readonly done: readonly Undoing[];
  readonly continued: readonly Continued[];
  /** Not tried yet: no more processes can be held at a time. */
  readonly rest: readonly SignalEffect[];
}

/** Continue one after the other until all are, or no more can be held. */
function continueSome(batch: readonly SignalEffect[]): Tried {
  const done: Undoing[] = [];
  const continued: Continued[] = [];
  for (const [index, one] of batch.entries()) {
    const tried = continueOne(one);
    if (tried === 'no more descriptors') {
      if (continued.length > 0) return { done, continued, rest: batch.slice(index) };
      done.push({ one, verdict: 'mismatch', seen: 'cannot be held: too many open files (EMFILE)', undone: false });
    } else if ('handle' in tried) continued.push(tried);
    else done.push(tried);
  }
  return { done, continued, rest: [] };
}

/** @returns what became of each, and those that must wait until these are let go of */
async function continueBatch(batch: readonly SignalEffect[]) {
  const { done, continued, rest } = continueSome(batch);
  try {
    return { undone: [...done, ...(await verifyRunning(continued))], rest };
  } finally {
    for (const { handle } of continued) closeProcess(handle);
  }
}

function settlement({ one, seen, undone }: Undoing): readonly Settlement[] {
  return undone ? [{ effect: one.effect, status: 'undone', outcome: { recovery: seen } }] : [];
}

function verdictOf(target: TargetRef, verdict: Verdict, seen: string): TargetVerdict {
  return { target, verdict, seen, evidence: {} };
}

/** Continue what was stopped; a process that another injection holds too, or that was found stopped, stays so. */
async function continueStopped(stopped: readonly SignalEffect[], journal: Journal): Promise<readonly TargetVerdict[]> {
  const heldBy = await journal.release(stopped.map(({ effect }) => effect));
  const verdicts: TargetVerdict[] = [];
  const ours: SignalEffect[] = [];
  for (const one of stopped) {
    const other = heldBy.get(one.effect);
    if (other === undefined) ours.push(one);
    else {
      verdicts.push(verdictOf(one.effect.target, 'confirmed', `stays stopped: the injection ${other} holds it, too`));
    }
  }
  const found = ours.filter(({ undo }) => undo === 'leave');
  journal.settle(found.map(({ effect }) => ({ effect, status: 'undone', outcome: { recovery: 'left stopped' } })));
  for (const { effect } of found) verdicts.push(verdictOf(effect.target, 'confirmed', 'left stopped, as it was found'));
  const rest = ours.filter(({ undo }) => undo === 'continue');
  for (let left = rest; left.length > 0; ) {
    const { undone, rest: waiting } = await continueBatch(left.slice(0, batchSize));
    journal.settle(undone.flatMap(settlement));
    for (const { one, verdict, seen } of undone) verdicts.push(verdictOf(one.effect.target, verdict, seen));
    left = [...waiting, ...left.slice(batchSize)];
    journal.progress('continued', rest.length - left.length, rest.length);
  }
  return verdicts;
}

interface Unknown {
  readonly one: SignalEffect;
  readonly status: 'applied' | 'refused';
  readonly seen: string;
}

/** What can be said now of a signal of which only the intent is known. */
function lookAgain(one: SignalEffect): Unknown {
  const opened = openProcess(one.identity);
  if (opened.state !== 'open') return { one, status: 'applied', seen: 'is gone, and cannot be brought back' };
  closeProcess(opened.handle);
  // Nothing lives on after SIGKILL; any other signal may still be on its way, or have been handled.
  return one.signal === SIGKILL
    ? { one, status: 'refused', seen: 'lives: SIGKILL was not sent' }
    : { one, status: 'applied', seen: 'lives; whether the signal was sent is not known' };
}

/** A command that died after it had written down a kill leaves open whether it happened: look. */
function settleUnknown(signals: readonly SignalEffect[], journal: Journal): readonly TargetVerdict[] {
  const looks = signals.filter(({ effect, undo }) => undo === 'none' && effect.status === 'intended').map(lookAgain);
  journal.settle(looks.map(({ one, status, seen }) => ({ effect: one.effect, status, outcome: { seen } })));
  return looks.map(({ one, seen }) => verdictOf(one.effect.target, 'inconclusive', seen));
}

function commandSeen(result: CommandResult): string {
  const took = formatDuration(result.tookMs);
  if (result.notStarted !== null) return `the recover command could not be started: ${result.notStarted}`;
  if (result.timedOut) return `the recover command was ended after ${took}: it took too long`;
  const how = result.exitCode === null ? `died of ${result.signal ?? 'a signal'}` : `exited with ${result.exitCode}`;
  return `the recover command ${how} after ${took}`;
}

/** Why the command must not be run now, if it must not: running it twice may do harm. */
async function reasonNotToRun(armed: readonly Effect[], journal: Journal): Promise<string | undefined> {
  if (armed.some(({ status }) => status === 'releasing') && !journal.insist) {
    return 'the recover command was begun before and never seen to end; recover this very uid to run it again';
  }
  try {
    await journal.releaseOrThrow(armed);
    return undefined;
  } catch (error) {
    if (!(error instanceof FaultlineError)) throw error;
    return `the recover command was not run: ${error.message}`;
  }
}

/**
 * Run the recover command. Each round of an injection with an interval has armed it; it repairs what all of them broke,
 * so it is run once, and what came of it is kept with the first.
 */
async function runCommand([effect, ...again]: readonly Effect[], journal: Journal): Promise<readonly TargetVerdict[]> {
  if (effect === undefined) return [];
  const reason = await reasonNotToRun([effect, ...again], journal);
  if (reason !== undefined) return [verdictOf(effect.target, 'mismatch', reason)];
  journal.progress('running the recover command', 0, 1);
  const result = await runRecoverCommand(textOf(effect.undo?.['command']), Number(effect.undo?.['timeoutMs']));
  const failed = commandFailed(result);
  journal.settle([
    { effect, status: failed ? 'applied' : 'undone', outcome: { ...result } },
    ...again.map(
      (one): Settlement => ({ effect: one, status: 'undone', outcome: { seen: 'run once for all rounds' } }),
    ),
  ]);
  const said = result.output.trim();
  const seen = failed && said !== '' ? `${commandSeen(result)}: ${printable(said)}` : commandSeen(result);
  return [{ target: effect.target, verdict: failed ? 'mismatch' : 'confirmed', seen, evidence: { ...result } }];
}

/**
 * Undo what signals did: continue the stopped, look after the kills that nobody saw end, then run the recover command.
 * Idempotent.
 */
export async function recoverSignals(effects: readonly Effect[], journal: Journal): Promise<readonly TargetVerdict[]> {
  const signals = signalEffects(effects).toReversed();
  const stopped = signals.filter(({ effect, undo }) => undo !== 'none' && mayStand(effect.status));
  const verdicts = [...settleUnknown(signals, journal)];
  if (stopped.length > 0) verdicts.push(...(await continueStopped(stopped, journal)));
  const armed = effects.filter(({ type, status }) => type === 'recover-command' && mayStand(status));
  verdicts.push(...(await runCommand(armed, journal)));
  return verdicts;
}
