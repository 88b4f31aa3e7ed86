import type { Command } from 'commander';
import { withEngine } from '../engine-session.ts';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { injectionDocument } from '../output/documents.ts';
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
    await withEngine(invocation, { via: 'cli', supervise: true }, async (engine) => {
      const injection = engine.find(uid);
      const present = await engine.observe(injection);
      if (invocation.format === 'text') say(injectionText(injection, present));
      else await sayDocument(injectionDocument(injection, present), invocation.format);
    });
  });
}
