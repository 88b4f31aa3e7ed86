import { type FaultlineError, isFaultlineError } from '../base/error.ts';
import { textOf } from '../base/json.ts';
import { listed, printable } from '../base/text.ts';
import { randomUuid } from '../linux/random-uuid.ts';
import type { Injection } from '../experiment/injection.ts';
import type { AttackRequest } from '../experiment/request.ts';
import { parseAttackBody } from '../experiment/request.ts';
import { attackShortfall, recoveryShortfall } from '../experiment/shortfall.ts';
import { type AttackStep, plannedInjection, runInjection } from './injection-document.ts';
import type { Scene } from './scene.ts';

/** What became of a step. */
export interface StepResult {
  readonly outcome: 'done' | 'failed' | 'interrupted';
  readonly detail: string | null;
}

/** Attacks that were begun, by the names of their steps, in that order. */
export type Begun = Map<string, { readonly step: AttackStep; readonly uid: string }>;

/** @throws {FaultlineError} whatever is wrong with its options */
export async function requestOf({ fault, action, options }: AttackStep): Promise<AttackRequest> {
  return parseAttackBody({ uid: randomUuid(), ...options, kind: fault, action });
}

/** Look in the journal what an injection is by now. It is not there where the attack was refused. */
export function lookAtInjection({ engine, ledger, startBootMs }: Scene, step: AttackStep, uid: string): void {
  try {
    ledger.putInjection(runInjection(step, engine.find(uid), startBootMs));
  } catch (error) {
    if (!isFaultlineError(error, 'INJECTION_NOT_FOUND')) throw error;
    ledger.dropInjection(uid);
  }
}

/** What stopped an attack that was none of its own failures. */
function stopReason({ engine, stopped }: Scene, error: FaultlineError): string | undefined {
  const halt = engine.halted();
  if (halt !== undefined) return `attacks are halted: ${printable(halt.reason)}`;
  if (error.code === 'GUARD_LIMIT' && error.details?.['rule'] === 'blast-radius') return error.message;
  return stopped.aborted && error.code === 'INTERRUPTED' ? 'was broken off' : undefined;
}

function seenText({ verdicts }: Injection): string {
  const phrases = verdicts.map(({ target, seen }) => `${printable(target.label)} ${printable(seen)}`);
  return listed(phrases, 3);
}

/**
 * Attack as a step asks for. What it may touch at most is for the engine to see.
 *
 * @returns `interrupted` where it was broken off, because the method ends; it is undone then
 */
export async function performAttack(scene: Scene, step: AttackStep, begun: Begun): Promise<StepResult> {
  const { engine, ledger, uid: run } = scene;
  try {
    const request = await requestOf(step);
    begun.set(step.name, { step, uid: request.uid });
    ledger.putInjection(plannedInjection(step, request.uid, ledger.clock()));
    await scene.written(); // that the step began, before it can do anything
    const injection = await engine.attack({ ...request, run });
    const shortfall = attackShortfall(injection);
    if (shortfall !== undefined) throw shortfall;
    lookAtInjection(scene, step, request.uid);
    const detail = seenText(injection);
    ledger.note(`${step.name}: ${detail}`);
    return { outcome: 'done', detail };
  } catch (error) {
    const uid = begun.get(step.name)?.uid;
    if (uid !== undefined) lookAtInjection(scene, step, uid);
    if (!isFaultlineError(error)) throw error;
    const reason = stopReason(scene, error);
    if (reason === undefined) scene.stop('error', `${step.name}: ${error.message}`);
    else if (!scene.stopped.aborted) scene.stop('aborted', `${step.name}: ${reason}`);
    return { outcome: reason === undefined ? 'failed' : 'interrupted', detail: reason ?? error.message };
  }
}

/**
 * What was not as expected where somebody else has undone it, who had nobody to tell: the keeper, or a halt. Of what
 * was never injected whole its own step has told.
 */
export function missedUnseen({ state, error, injectedBootMs }: Injection['record']): string | undefined {
  if (state !== 'recovered' || error === null || injectedBootMs === null) return undefined;
  return textOf(error['message']);
}

/**
 * Undo an attack.
 *
 * @returns why it is not undone, if so
 */
export async function undoAttack(scene: Scene, step: AttackStep, uid: string): Promise<string | undefined> {
  try {
    const recovery = await scene.engine.recover(uid, false);
    if (recovery.already) return missedUnseen(recovery.record);
    const shortfall = recoveryShortfall(recovery);
    return shortfall === undefined || shortfall.code === 'RECOVERY_IMPOSSIBLE' ? undefined : shortfall.message;
  } catch (error) {
    if (!isFaultlineError(error)) throw error;
    return error.message;
  } finally {
    lookAtInjection(scene, step, uid);
  }
}
