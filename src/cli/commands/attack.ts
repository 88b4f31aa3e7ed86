import type { Command } from 'commander';
import { type JsonObject, textOf } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import type { Engine } from '../../experiment/engine.ts';
import type { Injection } from '../../experiment/injection.ts';
import { attackSchema, parseAttack } from '../../experiment/request.ts';
import { attackShortfall } from '../../experiment/shortfall.ts';
import type { ActionDescriptor, FaultDescriptor, Plan } from '../../faults/fault.ts';
import { faults } from '../../faults/registry.ts';
import { withEngine } from '../engine-session.ts';
import { addExamples } from '../help/examples.ts';
import { type Invocation, invocationOf, type ProgramName } from '../invocation.ts';
import { injectionDocument, planDocument } from '../output/documents.ts';
import { sayDocument } from '../output/format.ts';
import { planText } from '../output/plan-text.ts';
import { isWatched, remark, say } from '../output/style.ts';
import { verdictLines } from '../output/verdict-text.ts';
import { addSchemaOptions, schemaInput } from '../schema-options.ts';
import { addOutputOption } from './common.ts';

/** What the answer calls the thing that was attacked: chaosd puts the value of --process there. */
function argumentOf(kind: string, input: JsonObject): string {
  const { process: name } = input;
  if (typeof name === 'string') return name;
  const [first] = Object.entries(input).filter(([key]) => ['cmdline', 'user', 'cgroup', 'name'].includes(key));
  return first === undefined ? kind : textOf(first[1]);
}

async function sayInjection(invocation: Invocation, argument: string, injection: Injection): Promise<void> {
  const { record, verdicts } = injection;
  if (invocation.format !== 'text') {
    await sayDocument(injectionDocument(injection), invocation.format);
    return;
  }
  const watched = isWatched('stderr') && invocation.program === 'faultline';
  const doubtful = verdicts.filter(({ verdict }) => verdict === 'inconclusive');
  for (const line of verdictLines(watched ? verdicts : doubtful)) remark(line);
  say(`Attack ${record.kind} ${printable(argument)} successfully, uid: ${record.uid}`);
}

async function attackWith(engine: Engine, invocation: Invocation, request: Awaited<ReturnType<typeof parseAttack>>) {
  const injection = await engine.attack(request);
  const wrong = attackShortfall(injection);
  if (wrong === undefined) {
    await sayInjection(invocation, argumentOf(request.kind, request.input), injection);
    return;
  }
  if (invocation.format !== 'text') await sayDocument(injectionDocument(injection), invocation.format);
  throw wrong;
}

async function sayPlan(invocation: Invocation, plan: Plan): Promise<void> {
  if (invocation.format === 'text') say(planText(plan));
  else await sayDocument(planDocument(plan), invocation.format);
}

function commonInput(options: Readonly<Record<string, unknown>>): JsonObject {
  return schemaInput(attackSchema.properties, options);
}

function addAction(
  parent: Command,
  program: ProgramName,
  fault: FaultDescriptor,
  name: string,
  action: ActionDescriptor,
) {
  const command = parent.command(name).summary(action.summary).description(action.summary);
  addSchemaOptions(command, action.schema.properties, 'What to do, and to whom:');
  addSchemaOptions(command, attackSchema.properties, 'Injection:');
  command.option('--dry-run', 'Show exactly what would be touched, and touch nothing');
  addOutputOption(command);
  addExamples(command, action.details, action.examples);
  command.action(async () => {
    const invocation = invocationOf(program, command);
    const options: Readonly<Record<string, unknown>> = command.optsWithGlobals();
    const input = schemaInput(action.schema.properties, options);
    const request = await parseAttack(fault.kind, name, commonInput(options), input);
    const dryRun = options['dryRun'] === true;
    await withEngine(invocation, { via: 'cli', supervise: !dryRun }, async (engine) => {
      if (dryRun) await sayPlan(invocation, await engine.plan(request));
      else await attackWith(engine, invocation, request);
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
