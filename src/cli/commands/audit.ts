import { textOf, toJson } from '../../base/json.ts';
import type { Command } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import type { AuditRecord } from '../../experiment/engine.ts';
import { withEngine } from '../engine-session.ts';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { sayDocument } from '../output/format.ts';
import { say } from '../output/style.ts';
import { tableText } from '../output/table.ts';
import { addOutputOption } from './common.ts';

function who({ actor }: AuditRecord): string {
  const { user, uid, sudoUser, via } = actor;
  const name = textOf(user ?? uid);
  const behind = typeof sudoUser === 'string' ? `${sudoUser} as ${name}` : name;
  return `${behind} (${textOf(via)})`;
}

function rowOf(entry: AuditRecord): readonly string[] {
  const { at, action, subject, parameters, result } = entry;
  const cells = [new Date(at).toISOString(), who(entry), action, subject ?? '', JSON.stringify(parameters), result];
  return cells.map(printable);
}

/** `audit`: who did what, with what result. */
export function addAudit(root: Command, program: ProgramName): void {
  const command = root
    .command('audit')
    .summary('list who did what')
    .description('List who did what, with what result, the newest first; refusals too')
    .option('-l, --limit <N>', 'At most so many entries', '50');
  addOutputOption(command);
  addExamples(command, [], [{ command: 'audit --limit 5 -o json', does: 'the last five, for a program' }]);
  command.action(async () => {
    const invocation = invocationOf(program, command);
    const { limit } = command.opts<{ limit: string }>();
    if (!/^[1-9]\d{0,8}$/.test(limit)) {
      throw new FaultlineError('ARGUMENT_INVALID', `--limit "${printable(limit)}" is not a whole number above zero`, {
        hint: 'write 1 or more, in digits',
      });
    }
    await withEngine(invocation, { via: 'cli', supervise: true }, async (engine) => {
      const entries = engine.audit(Number(limit));
      if (invocation.format === 'text') {
        say(await tableText(['TIME', 'WHO', 'ACTION', 'UID', 'PARAMETERS', 'RESULT'], entries.map(rowOf)));
      } else {
        await sayDocument(toJson(entries), invocation.format);
      }
    });
  });
}
