import type { Command } from 'commander';
import { errorOf, plain } from '../../api/documents.ts';
import type { Operations } from '../../api/operations.ts';
import { addConnectionOptions } from '../connection-options.ts';
import { addExamples } from '../help/examples.ts';
import { type Invocation, invocationOf, type ProgramName } from '../invocation.ts';
import { withOperations } from '../operations-session.ts';
import { sayDocument } from '../output/format.ts';
import { scheduleEndText, scheduleTable, scheduleText } from '../output/schedule-text.ts';
import { say } from '../output/style.ts';
import { addOutputOption } from './common.ts';

async function list(operations: Operations, invocation: Invocation, all: boolean): Promise<void> {
  const { items } = await operations.schedules(all ? {} : { ended: false });
  if (invocation.format === 'text') say(await scheduleTable(items));
  else await sayDocument(plain(items), invocation.format);
}

async function show(operations: Operations, invocation: Invocation, uid: string): Promise<void> {
  const schedule = await operations.findSchedule(uid);
  if (invocation.format === 'text') say(scheduleText(schedule));
  else await sayDocument(plain(schedule), invocation.format);
}

async function end(operations: Operations, invocation: Invocation, uid: string): Promise<void> {
  const ended = await operations.endSchedule(uid);
  if (invocation.format === 'text') say(scheduleEndText(ended));
  else await sayDocument(plain(ended), invocation.format);
  const shortfall = ended.recovered?.shortfall ?? null;
  // What cannot be undone (a kill) is no failure of ending; what is left to undo is.
  if (shortfall !== null && shortfall.code !== 'RECOVERY_IMPOSSIBLE') throw errorOf(shortfall);
}

function addList(parent: Command, program: ProgramName): void {
  const command = parent
    .command('list')
    .summary('list schedules')
    .description('List schedules, the newest first')
    .option('-A, --all', 'Those that have ended, too');
  addOutputOption(command);
  addConnectionOptions(command);
  addExamples(command, [], [{ command: 'schedule list --all -o json', does: 'all of them, for a program to read' }]);
  command.action(async () => {
    const invocation = invocationOf(program, command);
    const all = command.opts<Record<string, unknown>>()['all'] === true;
    await withOperations(invocation, { repair: 'before' }, (operations) => list(operations, invocation, all));
  });
}

function addShow(parent: Command, program: ProgramName): void {
  const command = parent
    .command('show')
    .argument('<SCHEDULE>', 'the uid of the schedule')
    .summary('show one schedule')
    .description('Show one schedule: when it runs next, how often it ran, was skipped and failed');
  addOutputOption(command);
  addConnectionOptions(command);
  addExamples(command, [], [{ command: 'schedule show nightly', does: 'for a person' }]);
  command.action(async (uid: string) => {
    const invocation = invocationOf(program, command);
    await withOperations(invocation, { repair: 'before' }, (operations) => show(operations, invocation, uid));
  });
}

function addEnd(parent: Command, program: ProgramName): void {
  const command = parent
    .command('end')
    .argument('<SCHEDULE>', 'the uid of the schedule')
    .summary('end a schedule')
    .description('End a schedule for good, and undo the run that is live');
  addOutputOption(command);
  addConnectionOptions(command);
  addExamples(
    command,
    ['May be repeated: a run that could not be undone is then tried again. Runs that are over stay in the journal.'],
    [{ command: 'schedule end nightly', does: 'no more runs, and nothing left stopped' }],
  );
  command.action(async (uid: string) => {
    const invocation = invocationOf(program, command);
    await withOperations(invocation, { repair: 'after' }, (operations) => end(operations, invocation, uid));
  });
}

/** `schedule list`, `schedule show` and `schedule end`. One is added by `attack … --schedule`. */
export function addSchedule(root: Command, program: ProgramName): void {
  const schedule = root
    .command('schedule')
    .summary('list, show and end schedules')
    .description('Attacks that the service makes again and again: attack KIND ACTION --schedule adds one');
  addList(schedule, program);
  addShow(schedule, program);
  addEnd(schedule, program);
}
