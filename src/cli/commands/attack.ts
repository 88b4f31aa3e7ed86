import { type Command, Option } from 'commander';
import { type JsonObject, textOf } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import { type AttackDocument, errorOf, type PlanDocument, plain } from '../../api/documents.ts';
import type { Operations } from '../../api/operations.ts';
import { type AttackRequest, attackSchema, parseAttack } from '../../experiment/request.ts';
import { type ScheduleRequest, scheduleRequest } from '../../experiment/schedule/request.ts';
import type { ActionDescriptor, FaultDescriptor } from '../../faults/fault.ts';
import { faults } from '../../faults/registry.ts';
import { setDefaultCommand } from '../command-tree.ts';
import { addConnectionOptions } from '../connection-options.ts';
import { addExamples } from '../help/examples.ts';
import { type Invocation, invocationOf, type ProgramName } from '../invocation.ts';
import { withOperations } from '../operations-session.ts';
import { sayDocument } from '../output/format.ts';
import { planText } from '../output/plan-text.ts';
import { remark, say } from '../output/style.ts';
import { remarkVerdicts } from '../output/verdict-text.ts';
import { addSchemaOptions, schemaInput } from '../schema-options.ts';
import { addOutputOption } from './common.ts';

/** What the answer calls the thing that was attacked: chaosd puts the value of --process there. */
function argumentOf(kind: string, input: JsonObject): string {
  const { process: name, volume } = input;
  if (typeof volume === 'string') return volume;
  if (typeof name === 'string') return name;
  const [first] = Object.entries(input).filter(([key]) => ['cmdline', 'user', 'cgroup', 'name'].includes(key));
  return first === undefined ? kind : textOf(first[1]);
}

function sayInjection(invocation: Invocation, argument: string, { kind, uid, targets }: AttackDocument): void {
  remarkVerdicts(invocation, targets);
  say(`Attack ${kind} ${printable(argument)} successfully, uid: ${uid}`);
}

async function attackWith(operations: Operations, invocation: Invocation, request: AttackRequest): Promise<void> {
  const injection = await operations.attack(request);
  if (invocation.format !== 'text') await sayDocument(plain(injection), invocation.format);
  if (injection.shortfall !== null) throw errorOf(injection.shortfall);
  if (invocation.format === 'text') sayInjection(invocation, argumentOf(request.kind, request.input), injection);
}

/** What is asked for again and again is not done now: the service does it when it is time. */
async function scheduleWith(operations: Operations, invocation: Invocation, request: ScheduleRequest): Promise<void> {
  const schedule = await operations.addSchedule(request);
  if (invocation.format !== 'text') {
    await sayDocument(plain(schedule), invocation.format);
    return;
  }
  remark(`Next run: ${schedule.nextRunAt ?? 'never'}`);
  for (const note of schedule.notes) remark(`Note: ${printable(note)}`);
  const { kind, input } = request.attack;
  say(`Schedule ${kind} ${printable(argumentOf(kind, input))} successfully, uid: ${schedule.uid}`);
}

async function sayPlan(invocation: Invocation, plan: PlanDocument): Promise<void> {
  if (invocation.format === 'text') say(planText(plan));
  else await sayDocument(plain(plan), invocation.format);
}

function commonInput(options: Readonly<Record<string, unknown>>): JsonObject {
  return schemaInput(attackSchema.properties, options);
}

function scheduleOption(): Option {
  const description = 'Let the service do it again and again: five fields of cron, or @every 10s; with --duration';
  return new Option('--schedule <WHEN>', description).helpGroup('Injection:');
}

function addAction(
  parent: Command,
  program: ProgramName,
  fault: FaultDescriptor,
  name: string,
  action: ActionDescriptor,
) {
  const isDefault = fault.defaultAction === name;
  const command = parent.command(name, { isDefault }).summary(action.summary).description(action.summary);
  if (isDefault) {
    setDefaultCommand(parent, command);
    parent.addHelpText('after', `\nFlags without a command are those of ${name}, which need not be named.`);
  }
  addSchemaOptions(command, action.schema.properties, 'What to do, and to whom:');
  addSchemaOptions(command, attackSchema.properties, 'Injection:');
  command.addOption(scheduleOption());
  command.option('--dry-run', 'Show exactly what would be touched, and touch nothing');
  addOutputOption(command);
  addConnectionOptions(command);
  addExamples(command, action.details, action.examples);
  command.action(async () => {
    const invocation = invocationOf(program, command);
    const options: Readonly<Record<string, unknown>> = command.optsWithGlobals();
    const input = schemaInput(action.schema.properties, options);
    const request = await parseAttack(fault.kind, name, commonInput(options), input);
    const { schedule } = options;
    const dryRun = options['dryRun'] === true;
    // A dry run changes nothing, not even what was left behind.
    await withOperations(invocation, { repair: dryRun ? 'never' : 'before' }, async (operations) => {
      if (dryRun) await sayPlan(invocation, await operations.plan(request));
      else if (typeof schedule === 'string') {
        await scheduleWith(operations, invocation, scheduleRequest(schedule, request));
      } else await attackWith(operations, invocation, request);
    });
  });
}

/** `attack KIND ACTION`, made from the faults' descriptors. */
export function addAttack(root: Command, program: ProgramName): void {
  const attack = root.command('attack').summary('inject a fault').description('Inject a fault: attack KIND ACTION');
  // chaosd takes --uid anywhere after `attack`; the actions list it, so here it need not be listed again.
  attack.addOption(attack.createOption('--uid <ID>', 'Identify the injection by ID').hideHelp());
  for (const fault of faults) {
    const kind = attack.command(fault.kind).summary(fault.summary).description(fault.summary);
    for (const [name, action] of Object.entries(fault.actions)) addAction(kind, program, fault, name, action);
  }
}
