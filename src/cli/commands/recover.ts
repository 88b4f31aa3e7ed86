import type { Command } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { count, listed } from '../../base/text.ts';
import type { Engine } from '../../experiment/engine.ts';
import type { Sweep } from '../../experiment/halt.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import { recoveryShortfall } from '../../experiment/shortfall.ts';
import { withEngine } from '../engine-session.ts';
import { addExamples } from '../help/examples.ts';
import { type Invocation, invocationOf, type ProgramName } from '../invocation.ts';
import { recoveryDocument, sweepDocument } from '../output/documents.ts';
import { sayDocument } from '../output/format.ts';
import { isWatched, remark, say } from '../output/style.ts';
import { verdictLines } from '../output/verdict-text.ts';
import { addOutputOption } from './common.ts';

function sayRecovery(recovery: Recovery, verbose: boolean): void {
  if (verbose) for (const line of verdictLines(recovery.verdicts)) remark(line);
  if (recovery.record.repeatMs !== null) remark('The repetition has ended; what it killed stays dead.');
  say(`Recover ${recovery.record.uid} successfully${recovery.already ? ' (it was already)' : ''}`);
}

async function recoverOne(engine: Engine, invocation: Invocation, uid: string, abandon: boolean): Promise<void> {
  const recovery = await engine.recover(uid, abandon);
  if (invocation.format !== 'text') await sayDocument(recoveryDocument(recovery), invocation.format);
  const wrong = recoveryShortfall(recovery);
  if (wrong !== undefined && !(abandon && recovery.record.state === 'unrecoverable' && !recovery.already)) throw wrong;
  if (invocation.format !== 'text') return;
  if (wrong === undefined) sayRecovery(recovery, isWatched('stderr') && invocation.program === 'faultline');
  else say(`Gave up on ${uid}: what could not be undone is listed by faultline show ${uid}`);
}

/** Say what became of every live injection. @throws {FaultlineError} RECOVERY_INCOMPLETE */
export async function saySweep(invocation: Invocation, sweep: Sweep): Promise<void> {
  const wrong = sweep.recovered
    .map(recoveryShortfall)
    .filter((error) => error !== undefined && error.code !== 'RECOVERY_IMPOSSIBLE');
  if (invocation.format !== 'text') await sayDocument(sweepDocument(sweep), invocation.format);
  else if (sweep.recovered.length + sweep.failed.length === 0) say('Nothing is live');
  else {
    for (const recovery of sweep.recovered) {
      if (recovery.record.state === 'injected') continue;
      const ended = recovery.record.state === 'recovered' ? '' : ` (${recovery.record.state})`;
      say(`Recover ${recovery.record.uid} successfully${ended}`);
    }
  }
  const failed = [
    ...sweep.failed.map(({ uid, error }) => `${uid}: ${error.message}`),
    ...wrong.map((e) => e?.message ?? ''),
  ];
  if (failed.length === 0) return;
  throw new FaultlineError(
    'RECOVERY_INCOMPLETE',
    `${count(failed.length, 'injection')} not undone: ${listed(failed, 3)}`,
    {
      hint: 'the others are; mend what is said and recover again',
    },
  );
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
    await withEngine(invocation, { via: 'cli', supervise: false }, async (engine) => {
      if (all) await saySweep(invocation, await engine.recoverAll(abandon));
      else await recoverEach(engine, invocation, uids, abandon);
      await engine.supervise();
    });
  });
}

/** Each in turn; one that fails does not keep the others waiting. */
async function recoverEach(engine: Engine, invocation: Invocation, uids: readonly string[], abandon: boolean) {
  const errors: FaultlineError[] = [];
  for (const uid of uids) {
    try {
      await recoverOne(engine, invocation, uid, abandon);
    } catch (error) {
      if (!(error instanceof FaultlineError)) throw error;
      errors.push(error);
    }
  }
  const [first, ...others] = errors;
  for (const error of others) remark(`Error: ${error.message} [${error.code}]`);
  if (first !== undefined) throw first;
}
