import { delay } from '../base/delay.ts';
import { FaultlineError, isFaultlineError } from '../base/error.ts';
import { isLive } from '../base/lifecycle.ts';
import { bootTimeMs } from '../linux/clock.ts';
import { findInjection, type InjectionRecord } from '../store/injections.ts';
import { attack } from './attack.ts';
import type { EngineContext } from './context.ts';
import { cameToNothing, type Injection, readInjection } from './injection.ts';
import type { AttackRequest } from './request.ts';
import { differencesFrom } from './same-request.ts';

/*
 * A client that did not hear the answer asks again, with the same uid: it must get the answer, and nothing must happen
 * twice. What was begun and came to nothing, because it failed or its process was killed, is tried again.
 */

const pollMs = 20;

/** How long another process may take to inject what we are asked for again, in milliseconds. */
const patienceMs = 60_000;

async function refuseDifferent(request: AttackRequest, known: InjectionRecord): Promise<void> {
  if ((await differencesFrom(known, request)).length === 0) return;
  throw new FaultlineError('INJECTION_EXISTS', `there is another injection ${request.uid} already (${known.state})`, {
    hint: 'the same uid with the same request is answered as before; for a new one leave the uid out',
  });
}

/** It is being injected, or what there was of it is being undone: what comes of it is not settled yet. */
function isUnsettled({ state, injectedBootMs }: InjectionRecord): boolean {
  return state === 'planned' || state === 'injecting' || (state === 'recovering' && injectedBootMs === null);
}

/**
 * Whoever undoes an injection while it is injected means all who wait for it, too: if they tried again, what he is told
 * is undone would come back.
 *
 * @throws {FaultlineError} INJECTION_CANCELLED
 */
function refuseCancelled({ uid, error }: InjectionRecord): void {
  if (error?.['code'] !== 'INJECTION_CANCELLED') return;
  throw new FaultlineError('INJECTION_CANCELLED', `the injection ${uid} was cancelled before it was injected`, {
    hint: `ask again if it is still wanted; faultline show ${uid} tells what became of it`,
  });
}

/**
 * The injection as its first request left it, once it is injected; undefined where it came to nothing.
 *
 * @throws {FaultlineError} INJECTION_BUSY; INJECTION_CANCELLED when it was cancelled while we waited for it
 */
async function earlier(context: EngineContext, request: AttackRequest): Promise<Injection | undefined> {
  const giveUpMs = bootTimeMs() + patienceMs;
  for (let waited = false; ; waited = true) {
    const known = findInjection(context.store, request.uid);
    if (known !== undefined && waited) refuseCancelled(known);
    if (known === undefined || cameToNothing(known)) return undefined;
    await refuseDifferent(request, known);
    if (!isUnsettled(known)) return readInjection(context, known);
    if (bootTimeMs() > giveUpMs) {
      throw new FaultlineError('INJECTION_BUSY', `the injection ${known.uid} is still under way`, {
        hint: `ask again later, or look at it: faultline show ${known.uid}`,
      });
    }
    await delay(pollMs);
  }
}

async function attackUnlessKnown(context: EngineContext, request: AttackRequest): Promise<Injection> {
  const known = await earlier(context, request);
  if (known !== undefined) return known;
  try {
    return await attack(context, request);
  } catch (error) {
    // Another process was quicker with the same.
    const other = isFaultlineError(error, 'INJECTION_EXISTS') ? await earlier(context, request) : undefined;
    if (other === undefined) throw error;
    return other;
  }
}

/**
 * Resolves when this process is at work on no attack of this uid.
 *
 * @throws {FaultlineError} INJECTION_CANCELLED when the one that we waited for was cancelled while it was injected
 */
export async function settled(context: EngineContext, uid: string): Promise<void> {
  for (let running = context.underWay.get(uid); running !== undefined; running = context.underWay.get(uid)) {
    const before = findInjection(context.store, uid);
    // Its failure is its own caller's; ours is what the journal says then, or that of trying again.
    await running.catch(() => undefined);
    const after = findInjection(context.store, uid);
    // One that was over before we came may have been told as undone before we were asked.
    const wasOver = before !== undefined && before.id === after?.id && !isLive(before.state);
    if (after !== undefined && !wasOver) refuseCancelled(after);
  }
}

/**
 * Attack, or, where an injection of this uid was asked for before in the same words, tell what came of that.
 *
 * @throws {FaultlineError} INJECTION_EXISTS when the uid stands for something else; whatever an attack throws
 */
export async function attackOnce(context: EngineContext, request: AttackRequest): Promise<Injection> {
  const { uid } = request;
  // Of several that waited for the same one, one goes on: the others find its attempt here when it is their turn.
  while (context.underWay.has(uid)) await settled(context, uid);
  const attempt = attackUnlessKnown(context, request);
  context.underWay.set(uid, attempt);
  try {
    return await attempt;
  } finally {
    context.underWay.delete(uid);
  }
}
