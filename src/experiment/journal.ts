import { delay } from '../base/delay.ts';
import { FaultlineError, isFaultlineError } from '../base/error.ts';
import type { JsonObject } from '../base/json.ts';
import type { Effect, EffectIntent, Journal, Settlement } from '../faults/fault.ts';
import { bootTimeMs } from '../linux/clock.ts';
import { effectStatus, holders, insertEffect, settleEffect } from '../store/effects.ts';
import { cancelOf, type InjectionRecord, uidOf } from '../store/injections.ts';
import { readHalt } from '../store/latches.ts';
import type { EngineContext } from './context.ts';

export interface JournalOptions {
  readonly round: number;
  /** May what was begun before and never seen to end be tried again? */
  readonly insist?: boolean;
  /** An injection stops when it is cancelled, halted or interrupted; a recovery never does. */
  readonly cancellable: boolean;
  /**
   * When the lease of what is cancellable ends, in CLOCK_BOOTTIME ms, where it runs already: nobody cancels a round
   * that is under way then, for whoever ends leases leaves alone what somebody is at work on.
   */
  readonly endBootMs?: number | null;
  /**
   * Undoing must go on when the journal cannot be written (a full disk): what could not be written is told here, and
   * whoever recovers later undoes it once more, which changes nothing.
   */
  readonly onUnwritten?: (error: FaultlineError) => void;
}

/** One injection's journal: what each function below works on. */
interface Scope extends JournalOptions {
  readonly context: EngineContext;
  readonly injection: InjectionRecord;
}

/** A fault's journal, as the engine has it, which lends it to the fault. */
export interface OpenJournal extends Journal {
  /**
   * Resolves when every settlement is on the disk.
   *
   * @throws {FaultlineError} STATE_… when one could not be written, and not to be able to matters
   */
  settled(): Promise<void>;
}

type BuildIntents = Parameters<Journal['intend']>[0];

/** How long an effect waits for another injection that is just letting go of the same thing, in milliseconds. */
const releaseWaitMs = 5_000;
const releasePollMs = 5;

/** How often a sleeping injection looks whether it was cancelled, in milliseconds. */
const cancelPollMs = 100;

class StillReleasing extends Error {}

/** The disk is full, the folder has become read-only, or whoever holds the lock hangs. */
export function isUnwritable(error: unknown): error is FaultlineError {
  const codes = ['STATE_DISK_FULL', 'STATE_UNWRITABLE', 'STATE_BUSY'] as const;
  return codes.some((code) => isFaultlineError(error, code));
}

/** Why what is being injected is to stop, if it is. */
function reasonToStop({ context, injection, endBootMs }: Scope): string | null {
  const halt = readHalt(context.store);
  if (halt !== undefined) return `halted: ${halt.reason}`;
  const isOver = typeof endBootMs === 'number' && bootTimeMs() >= endBootMs;
  return cancelOf(context.store, injection.id) ?? (isOver ? 'its lease has ended' : null);
}

/** @throws {FaultlineError} INTERRUPTED; INJECTION_CANCELLED when it was recovered or halted, or its lease ended */
function throwIfCancelled(scope: Scope): void {
  const { context, injection, cancellable } = scope;
  if (!cancellable) return;
  if (context.interrupted.aborted) {
    throw new FaultlineError('INTERRUPTED', 'interrupted; what can be undone was undone', {
      hint: `faultline show ${injection.uid} tells what had been done`,
    });
  }
  const cancel = reasonToStop(scope);
  if (cancel === null) return;
  throw new FaultlineError('INJECTION_CANCELLED', `the injection ${injection.uid} was cancelled (${cancel})`, {
    hint: `what can be undone was undone; faultline show ${injection.uid}`,
  });
}

function describeEffect(effect: Effect): JsonObject {
  return { id: effect.id, type: effect.type, target: effect.target.label, apply: effect.apply };
}

/** @throws {StillReleasing} whoever is letting go is about to undo: an effect in between would be undone with it */
function settledHolders({ context, injection }: Scope, hold: string): readonly Effect[] {
  const others = holders(context.store, hold, injection.id);
  if (others.some(({ status }) => status === 'releasing')) throw new StillReleasing();
  return others;
}

function tryIntend(scope: Scope, build: BuildIntents): Promise<readonly Effect[]> {
  const { context, injection, round } = scope;
  return context.timeline.write('intend', (record) => {
    throwIfCancelled(scope);
    const intents: readonly EffectIntent[] = build((hold) => settledHolders(scope, hold));
    const intendedBootMs = bootTimeMs();
    const effects = intents.map((intent) =>
      insertEffect(context.store, { ...intent, injectionId: injection.id, round, intendedBootMs }),
    );
    if (effects.length > 0) record(injection, 'effect.intended', { effects: effects.map(describeEffect) });
    return effects;
  });
}

async function intend(scope: Scope, build: BuildIntents): Promise<readonly Effect[]> {
  const giveUpMs = bootTimeMs() + releaseWaitMs;
  for (;;) {
    try {
      return await tryIntend(scope, build);
    } catch (error) {
      if (!(error instanceof StillReleasing)) throw error;
      if (bootTimeMs() > giveUpMs) {
        throw new FaultlineError('INJECTION_BUSY', 'another injection is still letting go of a target', {
          hint: 'faultline recover --all, then try again',
        });
      }
      await delay(releasePollMs);
    }
  }
}

/** Do without the write where undoing must go on. */
async function tolerant<Result>(
  { onUnwritten }: Scope,
  body: () => Promise<Result>,
  otherwise: () => Result,
): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    if (onUnwritten === undefined || !isUnwritable(error)) throw error;
    onUnwritten(error);
    return otherwise();
  }
}

function writeSettlements({ context, injection }: Scope, settlements: readonly Settlement[]): Promise<void> {
  return context.timeline.write('settle', (record) => {
    const settledBootMs = bootTimeMs();
    // What has this status already only learns its outcome: that is no event.
    const changed = settlements.filter(({ effect, status }) => effectStatus(context.store, effect.id) !== status);
    for (const { effect, status, outcome } of settlements) {
      settleEffect(context.store, effect.id, status, outcome, settledBootMs);
    }
    for (const status of ['applied', 'refused', 'undone'] as const) {
      const effects = changed
        .filter((one) => one.status === status)
        .map(({ effect, outcome }) => ({ ...describeEffect(effect), outcome }));
      if (effects.length > 0) record(injection, `effect.${status}`, { effects });
    }
  });
}

/** The uid of another injection that holds the same and is not letting go of it. */
function otherHolder({ context, injection }: Scope, { hold }: Effect): string | undefined {
  if (hold === null) return undefined;
  const other = holders(context.store, hold, injection.id).find(({ status }) => status !== 'releasing');
  return other === undefined ? undefined : uidOf(context.store, other.injectionId);
}

function heldByOthers(scope: Scope, effects: readonly Effect[]): ReadonlyMap<Effect, string> {
  return new Map(
    effects.flatMap((effect) => {
      const uid = otherHolder(scope, effect);
      return uid === undefined ? [] : [[effect, uid] as const];
    }),
  );
}

function writeReleases(scope: Scope, effects: readonly Effect[]): Promise<ReadonlyMap<Effect, string>> {
  const { context, injection } = scope;
  return context.timeline.write('release', (record) => {
    const held = heldByOthers(scope, effects);
    for (const effect of effects) {
      const heldBy = held.get(effect);
      const status = heldBy === undefined ? 'releasing' : 'undone';
      settleEffect(context.store, effect.id, status, heldBy === undefined ? null : { heldBy }, bootTimeMs());
    }
    if (effects.length > 0) record(injection, 'effect.releasing', { effects: effects.map(describeEffect) });
    return held;
  });
}

async function sleep(scope: Scope, ms: number): Promise<void> {
  const untilMs = bootTimeMs() + ms;
  for (let leftMs = ms; leftMs > 0; leftMs = untilMs - bootTimeMs()) {
    await delay(Math.min(leftMs, cancelPollMs));
    throwIfCancelled(scope);
  }
}

/** The journal of one injection. */
export function journalOf(context: EngineContext, injection: InjectionRecord, options: JournalOptions): OpenJournal {
  const scope: Scope = { ...options, context, injection };
  const settling: Promise<void>[] = [];
  return Object.freeze({
    intend: (build: BuildIntents) => intend(scope, build),
    settle: (settlements: readonly Settlement[]) => {
      if (settlements.length === 0) return;
      const written = tolerant(
        scope,
        () => writeSettlements(scope, settlements),
        () => undefined,
      );
      written.catch(() => undefined); // whoever waits for all of them hears of it
      settling.push(written);
    },
    settled: async () => {
      await Promise.all(settling);
    },
    insist: options.insist === true,
    releaseOrThrow: async (effects: readonly Effect[]) => {
      await writeReleases(scope, effects);
    },
    release: (effects: readonly Effect[]) =>
      tolerant(
        scope,
        () => writeReleases(scope, effects),
        () => heldByOthers(scope, effects),
      ),
    progress: (message: string, done: number, total: number) => {
      context.timeline.tell(injection.uid, 'progress', { message, done, total });
    },
    sleep: (ms: number) => sleep(scope, ms),
    throwIfCancelled: () => {
      throwIfCancelled(scope);
    },
  });
}
