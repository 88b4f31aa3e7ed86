import type { Command } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { count, listed } from '../../base/text.ts';
import { errorOf, plain, type RecoveryDocument, type SweepDocument } from '../../api/documents.ts';
import type { Operations } from '../../api/operations.ts';
import { addConnectionOptions } from '../connection-options.ts';
import { addExamples } from '../help/examples.ts';
import { type Invocation, invocationOf, type ProgramName } from '../invocation.ts';
import { withOperations } from '../operations-session.ts';
import { sayDocument } from '../output/format.ts';
import { isWatched, remark, say } from '../output/style.ts';
import { verdictLines } from '../output/verdict-text.ts';
import { addOutputOption } from './common.ts';

function sayRecovery({ uid, already, repeatMs, targets }: RecoveryDocument, verbose: boolean): void {
  if (verbose) for (const line of verdictLines(targets)) remark(line);
  if (repeatMs !== null) remark('The repetition has ended; what it killed stays dead.');
  say(`Recover ${uid} successfully${already ? ' (it was already)' : ''}`);
}

async function recoverOne(operations: Operations, invocation: Invocation, uid: string, abandon: boolean) {
  const recovery = await operations.recover(uid, abandon);
  if (invocation.format !== 'text') await sayDocument(plain(recovery), invocation.format);
  const { shortfall, state, already } = recovery;
  if (shortfall !== null && !(abandon && state === 'unrecoverable' && !already)) throw errorOf(shortfall);
  if (invocation.format !== 'text') return;
  if (shortfall === null) sayRecovery(recovery, isWatched('stderr') && invocation.program === 'faultline');
  else say(`Gave up on ${uid}: what could not be undone is listed by faultline show ${uid}`);
}

/** Shortfalls of which nothing is left to undo. */
const harmless: ReadonlySet<string> = new Set(['RECOVERY_IMPOSSIBLE', 'EXPECTATION_MISSED']);

/** Say what became of every live injection. @throws {FaultlineError} RECOVERY_INCOMPLETE, EXPECTATION_MISSED */
export async function saySweep(invocation: Invocation, sweep: SweepDocument): Promise<void> {
  const shortfalls = sweep.recovered.flatMap(({ shortfall }) => shortfall ?? []);
  const wrong = shortfalls.filter(({ code }) => !harmless.has(code)).map(({ message }) => message);
  const missed = shortfalls.filter(({ code }) => code === 'EXPECTATION_MISSED').map(errorOf);
  if (invocation.format !== 'text') await sayDocument(plain(sweep), invocation.format);
  else if (sweep.recovered.length + sweep.failed.length === 0) say('Nothing is live');
  else {
    for (const { uid, state } of sweep.recovered) {
      if (state === 'injected') continue;
      say(`Recover ${uid} successfully${state === 'recovered' ? '' : ` (${state})`}`);
    }
  }
  const failed = [...sweep.failed.map(({ uid, message }) => `${uid}: ${message}`), ...wrong];
  const [first, ...others] = [...incomplete(failed), ...missed];
  remarkErrors(others);
  if (first !== undefined) throw first;
}

function incomplete(failed: readonly string[]): readonly FaultlineError[] {
  if (failed.length === 0) return [];
  const sentence = `${count(failed.length, 'injection')} not undone: ${listed(failed, 3)}`;
  const hint = 'the others are; mend what is said and recover again';
  return [new FaultlineError('RECOVERY_INCOMPLETE', sentence, { hint })];
}

function remarkErrors(errors: readonly FaultlineError[]): void {
  for (const { message, code } of errors) remark(`Error: ${message} [${code}]`);
}

/** `recover UID…` and `recover --all`. */
export function addRecover(root: Command, program: ProgramName): void {
  const command = root
    .command('recover')
    .argument('[UID...]', 'injections to undo')
    .summary('undo an injection')
    .description('Undo injections, from whatever state they are in')
    .option('-A, --all', 'Undo everything that is live')
    .option('--abandon', 'Give up on what cannot be undone, so that it is not tried again');
  addOutputOption(command);
  addConnectionOptions(command);
  addExamples(
    command,
    [
      'May be run twice, from any state, also after a crash of the command that attacked. Targets that are gone ' +
        'are reported and passed over. A process that ended cannot be brought back: that is said plainly, with ' +
        'exit code 1.',
    ],
    [
      { command: 'recover 9cb6b3be-4f5b-4ecb-ae05-51050fcd0010', does: 'undo one injection' },
      { command: 'recover --all', does: 'undo everything that is live' },
    ],
  );
  command.action(async (uids: readonly string[]) => {
    const invocation = invocationOf(program, command);
    const options: Readonly<Record<string, unknown>> = command.opts();
    const all = options['all'] === true;
    if (all === uids.length > 0) {
      throw new FaultlineError('ARGUMENT_INVALID', all ? 'give either UIDs or --all' : 'which injection?', {
        hint: 'faultline recover UID, or faultline recover --all; faultline search --all lists them',
      });
    }
    const abandon = options['abandon'] === true;
    // What is asked for is done first and reported as such, not repaired beforehand.
    await withOperations(invocation, { repair: 'after' }, async (operations) => {
      if (all) await saySweep(invocation, await operations.recoverAll(abandon));
      else await recoverEach(operations, invocation, uids, abandon);
    });
  });
}

/** Each in turn; one that fails does not keep the others waiting. */
async function recoverEach(operations: Operations, invocation: Invocation, uids: readonly string[], abandon: boolean) {
  const errors: FaultlineError[] = [];
  for (const uid of uids) {
    try {
      await recoverOne(operations, invocation, uid, abandon);
    } catch (error) {
      if (!(error instanceof FaultlineError)) throw error;
      errors.push(error);
    }
  }
  const [first, ...others] = errors;
  remarkErrors(others);
  if (first !== undefined) throw first;
}
