import { type JsonObject, textOf } from '../../base/json.ts';
import type { Command } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { type AuditDocument, plain } from '../../api/documents.ts';
import { addConnectionOptions } from '../connection-options.ts';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { withOperations } from '../operations-session.ts';
import { sayDocument } from '../output/format.ts';
import { say } from '../output/style.ts';
import { tableText } from '../output/table.ts';
import { addOutputOption } from './common.ts';

/** A caller of a service who is no user of its host is told by a certificate, or by a token and an address. */
function stranger({ certificate, token, address }: JsonObject): string {
  if (typeof certificate === 'object' && certificate !== null && 'subject' in certificate) {
    return textOf(certificate['subject']);
  }
  return typeof token === 'string' ? `token ${token}, ${textOf(address)}` : textOf(address);
}

function who({ actor }: AuditDocument): string {
  const { user, uid, sudoUser, via, address } = actor;
  const known = user ?? uid;
  const name = known === undefined && address !== undefined ? stranger(actor) : textOf(known);
  const behind = typeof sudoUser === 'string' ? `${sudoUser} as ${name}` : name;
  return `${behind} (${textOf(via)})`;
}

function rowOf(entry: AuditDocument): readonly string[] {
  const { at, action, subject, parameters, result } = entry;
  const cells = [at, who(entry), action, subject ?? '', JSON.stringify(parameters), result];
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
  addConnectionOptions(command);
  addExamples(command, [], [{ command: 'audit --limit 5 -o json', does: 'the last five, for a program' }]);
  command.action(async () => {
    const invocation = invocationOf(program, command);
    const { limit } = command.opts<{ limit: string }>();
    if (!/^[1-9]\d{0,8}$/.test(limit)) {
      throw new FaultlineError('ARGUMENT_INVALID', `--limit "${printable(limit)}" is not a whole number above zero`, {
        hint: 'write 1 or more, in digits',
      });
    }
    await withOperations(invocation, { repair: 'before' }, async (operations) => {
      const entries = await operations.audit(Number(limit));
      if (invocation.format === 'text') {
        say(await tableText(['TIME', 'WHO', 'ACTION', 'UID', 'PARAMETERS', 'RESULT'], entries.map(rowOf)));
      } else {
        // Here the time has always been a number, in milliseconds.
        await sayDocument(plain(entries.map((entry) => ({ ...entry, at: Date.parse(entry.at) }))), invocation.format);
      }
    });
  });
}
