import type { Command } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { plain } from '../../api/documents.ts';
import { withEngine } from '../engine-session.ts';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { refuseService } from '../operations-session.ts';
import { sayDocument } from '../output/format.ts';
import { say } from '../output/style.ts';
import { addOutputOption } from './common.ts';

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new FaultlineError('ARGUMENT_INVALID', `--limit "${printable(text)}" is not a whole number above zero`, {
    hint: 'write 1 or more, in digits',
  });
}

/** `runs`: experiments that were run on this host. */
export function addRuns(root: Command, program: ProgramName): void {
  const command = root
    .command('runs')
    .summary('list runs of experiments')
    .description('List runs of experiments on this host, the newest first')
    .option('--limit <N>', 'How many at most', '20');
  addOutputOption(command);
  addExamples(
    command,
    ['What became of one of them: faultline report UID. The last 200 are kept whole.'],
    [{ command: 'runs --limit 5', does: 'the last five' }],
  );
  command.action(async () => {
    const invocation = invocationOf(program, command);
    refuseService(invocation, 'runs');
    const limit = parseLimit(command.opts<{ readonly limit: string }>().limit);
    const { runsTable } = await import('../output/run-text.ts');
    await withEngine(invocation, { via: 'cli', supervise: true }, async (engine) => {
      const runs = engine.runs.list(limit);
      if (invocation.format === 'text') say(await runsTable(runs));
      else await sayDocument(plain(runs), invocation.format);
    });
  });
}
