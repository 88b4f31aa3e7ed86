import type { Command } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { toJson } from '../../base/json.ts';
import type { Answer } from '../../forensics/answer.ts';
import { addExamples } from '../help/examples.ts';
import { type Invocation, invocationOf, type ProgramName } from '../invocation.ts';
import { sayDocument } from '../output/format.ts';
import { say } from '../output/style.ts';
import { addOutputOption } from './common.ts';

interface WhyOptions {
  readonly log?: string;
  readonly pid?: string;
  readonly name?: string;
  readonly container?: string;
}

async function sayAnswer({ format }: Invocation, found: Answer): Promise<void> {
  if (format === 'text') {
    const { whyText } = await import('../output/why-text.ts');
    say(await whyText(found));
    return;
  }
  // The tables are for a screen: what is in them is in the facts.
  const { tables: _tables, ...document } = found;
  await sayDocument(toJson(document), format);
}

/** What a number means as an exit code needs nothing of the host, and must be quick. */
async function explainedCode(what: string): Promise<Answer | undefined> {
  const { parseCode } = await import('../../forensics/codes/parse-code.ts');
  const given = parseCode(what);
  if (given === undefined) return undefined;
  const { explainCode } = await import('../../forensics/codes/explain-code.ts');
  return explainCode(what, given);
}

async function answerTo(invocation: Invocation, what: string | undefined, options: WhyOptions): Promise<Answer> {
  const named = [what, options.pid, options.name, options.container].filter((one) => one !== undefined);
  if (named.length > 1) {
    throw new FaultlineError('ARGUMENT_INVALID', 'only one can be asked about at a time', {
      hint: 'give one of CODE|PID|NAME, --pid, --name and --container',
    });
  }
  if (what !== undefined && options.log === undefined) {
    const code = await explainedCode(what);
    if (code !== undefined) return code;
  }
  const { whyDied } = await import('../why-died.ts');
  return whyDied(invocation, { ...options, ...(what === undefined ? {} : { what }) });
}

/** `why`: what an exit code means, and what is known of a death. */
export function addWhy(root: Command, program: ProgramName): void {
  const command = root
    .command('why')
    .argument('[WHAT]', 'an exit code (137), a wait status (0x8b), a signal (SIGTERM), a PID or a name')
    .summary('tell why a process died')
    .description(
      'Tell why a process died: causes, the surest first, with the evidence for each and what would settle it',
    )
    .option(
      '--log <FILE>',
      'Read this log of a kernel or an application, and nothing of this host; - is the standard input',
    )
    .option('--pid <PID>', 'Ask about this process ID, where the number could be an exit code as well')
    .option('--name <NAME>', 'Ask about processes called so, where the name could be a signal or a number as well')
    .option('--container <NAME>', 'Ask about this container of docker or podman');
  addOutputOption(command);
  addExamples(
    command,
    [
      'A number up to 255 is an exit code, as echo $? shows it; a larger one is a PID. Who is asked about a PID or a ' +
        'name: the journal (was it Faultline?), recorded deaths, the kernel log, core dumps, containers.',
    ],
    [
      { command: 'why 137', does: 'what does this exit code mean?' },
      { command: 'why 0x8b', does: 'a wait status: SIGSEGV, with a core dump' },
      { command: 'why 4123', does: 'what is known of this process?' },
      { command: 'why --log /var/log/kern.log', does: 'every death that a saved log tells of' },
      { command: 'why nginx --log -', does: 'what the log on the standard input says of nginx' },
    ],
  );
  command.action(async (what: string | undefined) => {
    const invocation = invocationOf(program, command);
    const options: WhyOptions = command.opts();
    if (what === undefined && Object.values(options).every((value) => value === undefined)) command.help();
    const found = await answerTo(invocation, what, options);
    await sayAnswer(invocation, found);
    if (found.causes.length === 0) process.exitCode = 1;
  });
}
