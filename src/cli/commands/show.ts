import type { Command } from 'commander';
import { plain } from '../../api/documents.ts';
import { addConnectionOptions } from '../connection-options.ts';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { withOperations } from '../operations-session.ts';
import { sayDocument } from '../output/format.ts';
import { injectionText } from '../output/injection-text.ts';
import { say } from '../output/style.ts';
import { addOutputOption } from './common.ts';

/** `show`: everything that is known of one injection. */
export function addShow(root: Command, program: ProgramName): void {
  const command = root
    .command('show')
    .argument('<UID>', 'the injection')
    .summary('show one injection')
    .description('Show one injection: plan, effects, evidence, verdicts, timeline, and what its targets are now');
  addOutputOption(command);
  addConnectionOptions(command);
  addExamples(
    command,
    [],
    [
      { command: 'show 9cb6b3be-4f5b-4ecb-ae05-51050fcd0010', does: 'for a person' },
      { command: 'show 9cb6b3be-4f5b-4ecb-ae05-51050fcd0010 -o json', does: 'for a program' },
    ],
  );
  command.action(async (uid: string) => {
    const invocation = invocationOf(program, command);
    await withOperations(invocation, { repair: 'before' }, async (operations) => {
      const injection = await operations.find(uid);
      if (invocation.format === 'text') say(injectionText(injection));
      else await sayDocument(plain(injection), invocation.format);
    });
  });
}
