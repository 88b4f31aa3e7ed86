import { asFaultlineError, isFaultlineError } from '../base/error.ts';
import { isLive } from '../base/lifecycle.ts';
import { type Begun, lookAtInjection, missedUnseen, undoAttack } from './attack-step.ts';
import { commandText, runCommand } from './command.ts';
import type { AttackStep } from './injection-document.ts';
import type { RollbackDocument } from './result.ts';
import type { Scene } from './scene.ts';
import { wordsOf } from './words.ts';

/*
 * Whatever became of the method: all that it injected is undone, and what the user says is to be done then is done.
 */

function tell({ ledger, insisted }: Scene, rollback: RollbackDocument, isCommand: boolean): void {
  const { text, succeeded, detail } = rollback;
  ledger.addRollback(rollback);
  if (isCommand && !succeeded && insisted.aborted) {
    ledger.note(`broken off, as the user insisted: ${text}`, 'bad');
    return;
  }
  if (succeeded) {
    ledger.note(`${text}: done`);
    return;
  }
  const reason = `rollback failed: ${text}: ${detail ?? 'failed'}`;
  ledger.decide('error', reason);
  ledger.note(reason, 'bad');
}

function isStanding({ engine }: Scene, uid: string): boolean {
  try {
    return isLive(engine.find(uid).record.state);
  } catch (error) {
    return !isFaultlineError(error, 'INJECTION_NOT_FOUND'); // an attack that was refused left nothing
  }
}

async function undoOne(scene: Scene, step: AttackStep, uid: string): Promise<void> {
  const { clock } = scene.ledger;
  const fromMs = clock();
  const detail = await undoAttack(scene, step, uid).catch((error: unknown) => asFaultlineError(error).message);
  const outcome = { succeeded: detail === undefined, detail: detail ?? null };
  tell(scene, { text: `recover ${step.name}`, fromMs, toMs: clock(), ...outcome }, false);
}

/** What is not standing any more may have been undone since by the keeper, at the end of its lease, or by a halt. */
function lookAgain(scene: Scene, step: AttackStep, uid: string): void {
  const { engine, ledger } = scene;
  const known = ledger.parts().injections.find((one) => one.uid === uid);
  if (known === undefined || known.toMs !== null) return; // refused, or undone by a step
  try {
    lookAtInjection(scene, step, uid);
    const missed = missedUnseen(engine.find(uid).record);
    if (missed === undefined) return;
    const reason = `${step.name}: ${missed}`;
    ledger.decide('error', reason);
    ledger.note(reason, 'bad');
  } catch (error) {
    ledger.note(`what became of ${step.name} is not known: ${wordsOf(error)}`, 'bad');
  }
}

/** Undo all injections of the run, the newest first; goes on past those that cannot be undone. */
export async function undoInjections(scene: Scene, begun: Begun): Promise<void> {
  for (const { step, uid } of [...begun.values()].toReversed()) {
    if (isStanding(scene, uid)) await undoOne(scene, step, uid);
    else lookAgain(scene, step, uid);
  }
}

/** Run the rollbacks of the experiment in their order, each of them, until the user wants out at once. */
export async function runRollbacks(scene: Scene): Promise<void> {
  const { experiment, ledger, insisted } = scene;
  const isOver = (): boolean => insisted.aborted;
  if (experiment.rollbacks.length === 0 || isOver()) return;
  ledger.beginPhase('rollback');
  for (const command of experiment.rollbacks) {
    if (isOver()) {
      ledger.note(`not run, as the user insisted: ${commandText(command)}`, 'bad');
      continue;
    }
    const fromMs = ledger.clock();
    const { succeeded, detail } = await runCommand(command, insisted);
    tell(scene, { text: commandText(command), fromMs, toMs: ledger.clock(), succeeded, detail }, true);
  }
}
