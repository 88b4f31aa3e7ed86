import type { Command } from 'commander';
import { parseDuration } from '../../base/duration.ts';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import type { DeathSourceKind } from '../../linux/death-events/event.ts';
import { addConnectionOptions } from '../connection-options.ts';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { serviceNamed } from '../operations-session.ts';
import type { Watching } from '../watch-session.ts';
import { addOutputOption } from './common.ts';

interface WatchOptions {
  readonly name?: string;
  readonly pid?: string;
  readonly cgroup?: string;
  readonly container?: string;
  readonly failed?: boolean;
  readonly source?: string;
  readonly count?: string;
  readonly for?: string;
}

/** As `DeathSourceKind` has them; what knows how to open them is loaded later. */
export const sourceNames: readonly string[] = ['bpf', 'tracefs', 'proc-connector'] satisfies DeathSourceKind[];

function isSource(text: string): text is DeathSourceKind {
  return sourceNames.includes(text);
}

function parseSource(text: string): DeathSourceKind {
  if (isSource(text)) return text;
  throw new FaultlineError('ARGUMENT_INVALID', `deaths cannot be watched by "${printable(text)}"`, {
    hint: `there is: ${sourceNames.join(', ')}`,
  });
}

function parseWhole(flag: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new FaultlineError('ARGUMENT_INVALID', `${flag} "${printable(text)}" is not a whole number above zero`, {
    hint: 'write 1 or more, in digits',
  });
}

/** Who watches: this process, or a service. */
async function watcherFor(server: string | undefined, source: string | undefined): Promise<Watching> {
  if (server === undefined) return (await import('../watch-here.ts')).watchHere;
  if (source !== undefined) {
    throw new FaultlineError('ARGUMENT_INVALID', 'a service has chosen by itself how it watches', {
      hint: "leave --source out, or watch from this host with --server ''",
    });
  }
  return (await import('../remote/deaths.ts')).watchThere(server);
}

/** `watch`: every death, as it happens. */
export function addWatch(root: Command, program: ProgramName): void {
  const command = root
    .command('watch')
    .summary('tell of every death as it happens')
    .description('Tell of every death on this host as it happens: who, how, and who sent the signal')
    .option('-p, --name <NAME>', 'Only processes called so')
    .option('--pid <PID>', 'Only this process')
    .option('--cgroup <PATH>', 'Only processes in this cgroup and in those below it')
    .option('--container <NAME>', 'Only processes in this container of docker or podman, or with this identity')
    .option('--failed', 'Leave out those who exited with 0')
    .option('--count <N>', 'End after so many deaths')
    .option('--for <DURATION>', 'End after this time')
    .option('--source <SOURCE>', `Watch by ${sourceNames.join(', ')} (default: the first that there is)`);
  // As lines: a document is never whole while one watches.
  addOutputOption(command);
  addConnectionOptions(command);
  addExamples(
    command,
    [
      'As root, programs in the kernel (bpf) tell all. Where they cannot be had ftrace and the process connector ' +
        'tell less, and what they cannot tell is said. Lost events are told, never passed over.',
      'With -o json each line is a document of its own: watching, death, restart, dropped, end. A service watches ' +
        'by itself and keeps the last 10,000 deaths for faultline why.',
    ],
    [
      { command: 'watch --failed', does: 'whoever fails on this host, until Ctrl-C' },
      { command: 'watch -p nginx', does: 'deaths and restarts of nginx' },
      { command: 'watch --container web --count 1', does: 'wait until a process of a container dies' },
      { command: 'watch -o json --for 1m', does: 'a minute of deaths, for programs' },
      { command: 'watch --server https://chaos.example:31768', does: 'deaths on the host of a service' },
    ],
  );
  command.action(async () => {
    const invocation = invocationOf(program, command);
    const { name, pid, cgroup, container, failed, source, count, for: duration }: WatchOptions = command.opts();
    if (invocation.format === 'yaml') {
      throw new FaultlineError('ARGUMENT_INVALID', 'deaths are told as text or as lines of json', {
        hint: 'leave -o out, or give -o json',
      });
    }
    const request = {
      wanted: {
        ...(name === undefined ? {} : { name }),
        ...(pid === undefined ? {} : { pid: parseWhole('--pid', pid) }),
        ...(failed === true ? { failed } : {}),
      },
      ...(cgroup === undefined ? {} : { cgroup }),
      ...(container === undefined ? {} : { container }),
      ...(source === undefined ? {} : { source: parseSource(source) }),
      ...(count === undefined ? {} : { most: parseWhole('--count', count) }),
      ...(duration === undefined ? {} : { forMs: parseDuration(duration, '--for') }),
    };
    const watching = await watcherFor(serviceNamed(invocation), source);
    const { watchSession } = await import('../watch-session.ts');
    await watchSession(invocation, request, watching);
  });
}
