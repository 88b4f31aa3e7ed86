import { formatDuration } from '../../base/duration.ts';
import { printable } from '../../base/text.ts';
import { bootTimeMs } from '../../linux/clock.ts';
import { sendSignal } from '../../linux/pidfd.ts';
import { readProcessState } from '../../linux/procfs/process-state.ts';
import { signalName } from '../../linux/signals.ts';
import { SyscallError } from '../../linux/syscall-error.ts';
import { closeProcess, openProcess, type ProcessHandle } from '../../targets/handle.ts';
import type { Effect, Journal, Plan, Settlement, TargetVerdict } from '../fault.ts';
import { signalTargetOf } from './plan.ts';
import { awaitRespawned, type Ended, endOf } from './respawn.ts';
import { type SignalTarget, signalIntent, stopHold, stops, type Undo, undoOf } from './signal-effect.ts';
import { type ProcessSpec, specFromJson } from './spec.ts';
import { type Patience, type Seen, type Sent, watch } from './watch.ts';

const SIGKILL = 9;

/** How many processes are held by a pidfd at a time: well below the usual limit of 1,024 open files. */
const batchSize = 256;

/** How long looking may take before it is written down that the signals were sent, in milliseconds. */
const noteAfterMs = 30;

interface Held {
  readonly target: SignalTarget;
  readonly handle: ProcessHandle;
}

const absence = {
  gone: 'was gone before the signal was sent',
  reused: 'was gone before the signal was sent; its PID belongs to another process, which was not touched',
  rebooted: 'was gone before the signal was sent',
} as const;

function verdictOf(target: SignalTarget, seen: Seen): TargetVerdict {
  return { target: { key: target.planned.key, label: target.planned.label }, ...seen };
}

/** Take hold of the targets that are still there; the others get their verdict at once. */
function holdAll(targets: readonly SignalTarget[], held: Held[], verdicts: TargetVerdict[]): void {
  for (const target of targets) {
    const opened = openProcess(target.identity);
    if (opened.state === 'open') held.push({ target, handle: opened.handle });
    else verdicts.push(verdictOf(target, { verdict: 'inconclusive', seen: absence[opened.state], evidence: {} }));
  }
}

/**
 * What will undo a signal. Runs with the journal's lock held: if no other injection holds the process now and it is
 * stopped all the same, then somebody else stopped it, and recovery must leave it so.
 */
function undoFor(target: SignalTarget, signal: number, holdersOf: (hold: string) => readonly Effect[]): Undo {
  if (!stops(signal)) return 'none';
  const [holder] = holdersOf(stopHold(target.identity));
  if (holder !== undefined) return undoOf(holder);
  return readProcessState(target.identity.pid) === 'T' ? 'leave' : 'continue';
}

/** Why the kernel refused. */
function refusal(error: SyscallError): Seen {
  if (error.errno === 'ESRCH') return { verdict: 'inconclusive', seen: absence.gone, evidence: { errno: 'ESRCH' } };
  const seen = error.errno === 'EPERM' ? 'not permitted to signal it (EPERM)' : printable(error.message);
  return { verdict: 'mismatch', seen, evidence: { errno: error.errno } };
}

interface Batch {
  readonly sent: Map<Sent, { readonly target: SignalTarget; readonly effect: Effect }>;
  readonly refused: { readonly target: SignalTarget; readonly effect: Effect; readonly seen: Seen }[];
}

function sendAll(held: readonly Held[], effects: readonly Effect[], signal: number, journal: Journal): Batch {
  const batch: Batch = { sent: new Map(), refused: [] };
  for (const [index, { target, handle }] of held.entries()) {
    const effect = effects[index];
    if (effect === undefined) throw new Error('fewer effects than targets');
    try {
      sendSignal(handle.pidfd, signal);
      batch.sent.set({ handle, signal, sentBootMs: bootTimeMs() }, { target, effect });
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      batch.refused.push({ target, effect, seen: refusal(error) });
    }
    journal.progress(`${signalName(signal) ?? 'signal'} sent`, index + 1, held.length);
  }
  return batch;
}

function settlementsOf(batch: Batch, seen: ReadonlyMap<Sent, Seen>): readonly Settlement[] {
  const refused = batch.refused.map(({ effect, seen: why }): Settlement => {
    return { effect, status: 'refused', outcome: { seen: why.seen, ...why.evidence } };
  });
  const applied = [...batch.sent].map(([sent, { effect }]): Settlement => {
    const one = seen.get(sent);
    return { effect, status: 'applied', outcome: { seen: one?.seen ?? 'sent', ...one?.evidence } };
  });
  return [...refused, ...applied];
}

/** A process that was stopped before, by others, is not proof that our signal did anything. */
function foundStopped(effect: Effect, seen: Seen): Seen {
  if (undoOf(effect) !== 'leave') return seen;
  return { ...seen, verdict: 'inconclusive', seen: 'was stopped before the attack, and is still' };
}

/**
 * Look what became of a batch. What was sent was sent, whatever comes: when it takes longer to see how it ended, or
 * nobody wants to know any more, that much is written down before. Usually it is seen at once, which saves the write.
 */
async function watchBatch(batch: Batch, signal: number, patience: Patience, journal: Journal) {
  const name = signalName(signal) ?? 'the signal';
  let noted = false;
  const note = (): void => {
    if (!noted) journal.settle(settlementsOf(batch, new Map()));
    noted = true;
  };
  try {
    return await watch(
      [...batch.sent.keys()],
      patience,
      (clear) => {
        journal.progress(`looking what became of them after ${name}`, clear, batch.sent.size);
      },
      (elapsedMs) => {
        if (elapsedMs > noteAfterMs) note();
        journal.throwIfCancelled();
      },
    );
  } catch (error) {
    note();
    throw error;
  }
}

/** What was seen of the targets of one signal, and to whom it was sent, by key. */
interface Signalled {
  readonly verdicts: TargetVerdict[];
  readonly sent: Map<string, { readonly effect: Effect; readonly sentBootMs: number }>;
}

async function signalBatch(
  targets: readonly SignalTarget[],
  signal: number,
  patience: Patience,
  journal: Journal,
  { verdicts, sent: sentTo }: Signalled,
): Promise<void> {
  const held: Held[] = [];
  try {
    holdAll(targets, held, verdicts);
    const effects = await journal.intend((holdersOf) =>
      held.map(({ target }) => signalIntent(target, signal, undoFor(target, signal, holdersOf))),
    );
    const batch = sendAll(held, effects, signal, journal);
    const seen = await watchBatch(batch, signal, patience, journal);
    journal.settle(settlementsOf(batch, seen));
    for (const [sent, { target, effect }] of batch.sent) {
      const one = seen.get(sent) ?? { verdict: 'inconclusive', seen: 'nothing was seen', evidence: {} };
      verdicts.push(verdictOf(target, foundStopped(effect, one)));
      sentTo.set(target.planned.key, { effect, sentBootMs: sent.sentBootMs });
    }
    for (const { target, seen: why } of batch.refused) verdicts.push(verdictOf(target, why));
  } finally {
    for (const { handle } of held) closeProcess(handle);
  }
}

/** In the order of the plan, whatever order they became clear in. */
function inPlanOrder(plan: Plan, verdicts: readonly TargetVerdict[]): readonly TargetVerdict[] {
  const byKey = new Map(verdicts.map((one) => [one.target.key, one]));
  return plan.targets.flatMap(({ key }) => byKey.get(key) ?? []);
}

async function signalAll(
  targets: readonly SignalTarget[],
  signal: number,
  patience: Patience,
  journal: Journal,
): Promise<Signalled> {
  const signalled: Signalled = { verdicts: [], sent: new Map() };
  for (let start = 0; start < targets.length; start += batchSize) {
    await signalBatch(targets.slice(start, start + batchSize), signal, patience, journal, signalled);
  }
  return signalled;
}

/** The gentle signal, and SIGKILL for those that outlived it. */
interface Graced {
  readonly first: Signalled;
  readonly second: Signalled;
  /** When SIGKILL was about to be sent. */
  readonly endedBootMs: number;
}

/** Was it gone when SIGKILL was to be sent? */
function wasGone({ target, evidence }: TargetVerdict, second: Signalled): boolean {
  return !second.sent.has(target.key) && (evidence['errno'] === undefined || evidence['errno'] === 'ESRCH');
}

/**
 * What became of those that outlived the gentle signal. One that was gone before it could be sent SIGKILL ended between
 * the last look and that: of what it was sent first, and the journal has it so.
 */
function afterGrace({ first, second, endedBootMs }: Graced, spec: ProcessSpec, journal: Journal): TargetVerdict[] {
  const grace = formatDuration(spec.graceMs ?? 0);
  const outlived = `having outlived ${signalName(spec.signal) ?? 'the first signal'} for ${grace}`;
  return second.verdicts.map((one) => {
    const before = wasGone(one, second) ? first.sent.get(one.target.key) : undefined;
    if (before === undefined) {
      return { ...one, seen: `${one.seen}, ${outlived}`, evidence: { ...one.evidence, outlivedGrace: true } };
    }
    const { effect, sentBootMs } = before;
    const seen = `ended when the grace of ${grace} was over, before SIGKILL was sent`;
    const evidence = { ended: true, afterMs: Math.max(0, endedBootMs - sentBootMs), sentBootMs, endedBootMs };
    journal.settle([{ effect, status: 'applied', outcome: { seen, ...evidence } }]);
    return { target: one.target, verdict: 'confirmed', seen, evidence };
  });
}

/** First the gentle signal, then SIGKILL for those that a grace did not move. */
async function signalWithGrace(
  targets: readonly SignalTarget[],
  spec: ProcessSpec,
  journal: Journal,
): Promise<Signalled> {
  const wait: Patience = { waitMs: spec.waitMs, until: 'clear' };
  if (spec.graceMs === null) return signalAll(targets, spec.signal, wait, journal);
  const first = await signalAll(targets, spec.signal, { waitMs: spec.graceMs, until: 'end' }, journal);
  const alive = new Set(
    first.verdicts.filter(({ evidence }) => evidence['ended'] === false).map(({ target }) => target.key),
  );
  const rest = targets.filter(({ planned }) => alive.has(planned.key));
  if (rest.length === 0) return first;
  const endedBootMs = bootTimeMs(); // who is found to be gone from now on ended about now
  const second = await signalAll(rest, SIGKILL, wait, journal);
  const ended = first.verdicts.filter(({ target }) => !alive.has(target.key));
  return { verdicts: [...ended, ...afterGrace({ first, second, endedBootMs }, spec, journal)], sent: first.sent };
}

function endedOf(targets: readonly SignalTarget[], verdicts: readonly TargetVerdict[]): readonly Ended[] {
  const byKey = new Map(targets.map((target) => [target.planned.key, target]));
  return verdicts.flatMap(({ target: { key }, evidence }) => {
    const target = byKey.get(key);
    const end = endOf(evidence);
    return target === undefined || end === undefined
      ? []
      : [{ key, comm: target.comm, uid: target.uid, ppid: target.ppid, ...end }];
  });
}

/** Add to the verdicts who has come back. */
async function withRespawns(
  targets: readonly SignalTarget[],
  verdicts: readonly TargetVerdict[],
  observeMs: number,
  journal: Journal,
): Promise<readonly TargetVerdict[]> {
  if (observeMs === 0) return verdicts;
  const respawned = await awaitRespawned(endedOf(targets, verdicts), observeMs, (ms) => {
    journal.progress('looking who comes back', 0, 1);
    return journal.sleep(ms);
  });
  return verdicts.map((one) => {
    const respawn = respawned.get(one.target.key);
    if (respawn === undefined) return one;
    const seen = `${one.seen}; respawned as pid ${respawn.pid} after ${formatDuration(respawn.afterMs)}`;
    return { ...one, seen, evidence: { ...one.evidence, respawn: { ...respawn } } };
  });
}

/** The recover command is armed before the first signal: whatever happens from then on, it is in the journal. */
async function armRecoverCommand(spec: ProcessSpec, journal: Journal): Promise<Effect | undefined> {
  const { recoverCmd, recoverTimeoutMs } = spec;
  if (recoverCmd === null) return undefined;
  const undo = { command: recoverCmd, timeoutMs: recoverTimeoutMs };
  const target = { key: 'recover-command', label: 'recover command' };
  const [effect] = await journal.intend(() => [{ type: 'recover-command', target, apply: {}, undo, hold: null }]);
  return effect;
}

/** Send what the plan says to each target, and look what becomes of it. */
export async function injectSignals(plan: Plan, journal: Journal): Promise<readonly TargetVerdict[]> {
  const spec = specFromJson(plan.data['spec'] as never);
  const targets = plan.targets.map(signalTargetOf);
  const command = await armRecoverCommand(spec, journal);
  const { verdicts, sent } = await signalWithGrace(targets, spec, journal);
  if (command !== undefined) {
    // Whatever was seen afterwards: what was sent a signal may have to be repaired.
    journal.settle([{ effect: command, status: sent.size > 0 ? 'applied' : 'refused', outcome: {} }]);
  }
  return inPlanOrder(plan, await withRespawns(targets, verdicts, spec.observeMs, journal));
}
