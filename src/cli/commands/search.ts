import { type Json, textOf } from '../../base/json.ts';
import { type Command, Option } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { type ChaosdStatus, chaosdStatuses, statesOf } from '../../api/chaosd-status.ts';
import { plain, type RecordDocument, recordOf } from '../../api/documents.ts';
import type { ListFilter, Operations } from '../../api/operations.ts';
import { faultOf, faults } from '../../faults/registry.ts';
import { addConnectionOptions } from '../connection-options.ts';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { withOperations } from '../operations-session.ts';
import { isFormat, parseFormat, sayDocument } from '../output/format.ts';
import { say } from '../output/style.ts';
import { tableText } from '../output/table.ts';

/** A whole number from a flag. @throws {FaultlineError} ARGUMENT_INVALID */
function wholeNumber(text: unknown, flag: string): number | undefined {
  if (text === undefined) return undefined;
  if (typeof text === 'string' && /^\d{1,9}$/.test(text)) return Number(text);
  throw new FaultlineError('ARGUMENT_INVALID', `${flag} "${printable(textOf(text))}" is not a whole number`, {
    hint: 'write 0 or more, in digits',
  });
}

function isStatus(text: string): text is ChaosdStatus {
  return chaosdStatuses.some((status) => status === text);
}

function parseStatus(text: unknown): ChaosdStatus | undefined {
  if (text === undefined) return undefined;
  if (typeof text === 'string' && isStatus(text)) return text;
  throw new FaultlineError('ARGUMENT_INVALID', `there is no status "${printable(textOf(text))}"`, {
    hint: `there is: ${chaosdStatuses.join(', ')}`,
  });
}

function filterOf(options: Readonly<Record<string, unknown>>, offset: unknown): ListFilter {
  const status = parseStatus(options['status']);
  const limit = wholeNumber(options['limit'], '--limit');
  const kind = typeof options['kind'] === 'string' ? faultOf(options['kind']).kind : undefined;
  return {
    ...(status === undefined ? {} : { states: statesOf(status) }),
    ...(kind === undefined ? {} : { kind }),
    ascending: options['asc'] === true,
    offset: wholeNumber(offset, '--offset') ?? 0,
    // As in chaosd, 0 is no limit.
    ...(limit === undefined || limit === 0 ? {} : { limit }),
  };
}

/** Without what says nothing: a rule of a fault in files has a dozen fields, of which one or two were given. */
function brief(value: Json): Json {
  if (Array.isArray(value)) return value.map(brief);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, brief(one)] as const);
  return Object.fromEntries(entries.filter(([, one]) => !saysNothing(one)));
}

function saysNothing(value: Json): boolean {
  return value === null || value === false || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** chaosd's columns; the configuration is the checked request as JSON, of which `-o json` has all. */
function rowOf({ uid, kind, action, status, createdAt, spec }: RecordDocument): readonly string[] {
  return [uid, kind, action, status, createdAt, JSON.stringify(brief(spec))].map(printable);
}

const columns = ['UID', 'KIND', 'ACTION', 'STATUS', 'CREATE TIME', 'CONFIGURATION'];

async function found(operations: Operations, uid: string | undefined, filter: ListFilter) {
  return uid === undefined ? (await operations.list(filter)).items : [recordOf(await operations.find(uid))];
}

/** `search`: what was injected here. */
export function addSearch(root: Command, program: ProgramName): void {
  const command = root
    .command('search')
    .argument('[UID]', 'the injection to look for')
    .summary('list injections')
    .description('List injections, the newest first')
    .option('-A, --all', 'All of them (the default without UID)')
    .option('-s, --status <STATUS>', `Only those of this status: ${chaosdStatuses.join(', ')}`)
    .option('-k, --kind <KIND>', `Only those of this kind of fault: ${faults.map(({ kind }) => kind).join(', ')}`)
    .option('-l, --limit <N>', 'At most so many; 0 is no limit')
    .option('--asc', 'The oldest first')
    .addOption(new Option('-o, --offset <N>', 'Pass over so many first'))
    .option('--output <FORMAT>', 'Print text, json or yaml (default text); -o json works, too');
  addConnectionOptions(command);
  addExamples(
    command,
    ['chaosd calls a live or a finished injection success, one that was undone destroyed, a failed one error.'],
    [
      { command: 'search', does: 'list all' },
      { command: 'search --status success --kind process --limit 10', does: 'the last ten that were not undone' },
      { command: 'search --output json', does: 'the same for a program to read' },
    ],
  );
  command.action(async (uid: string | undefined) => {
    const invocation = invocationOf(program, command);
    const options: Readonly<Record<string, unknown>> = command.opts();
    const { offset } = options;
    // chaosd gives -o to --offset here; a word in its place can only mean a format.
    const word = typeof offset === 'string' && isFormat(offset) ? offset : undefined;
    const format = word === undefined ? invocation.format : parseFormat(word);
    const filter = filterOf(options, word === undefined ? offset : undefined);
    await withOperations(invocation, { repair: 'before' }, async (operations) => {
      const records = await found(operations, uid, filter);
      if (format === 'text') say(await tableText(columns, records.map(rowOf)));
      else await sayDocument(plain(records), format);
    });
  });
}
