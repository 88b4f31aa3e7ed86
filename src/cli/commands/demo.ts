import type { Command } from 'commander';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { addOutputOption } from './common.ts';

interface DemoFlags {
  readonly nginx?: boolean;
  readonly report?: string;
}

/** `demo`: a whole experiment that needs nothing but this package. */
export function addDemo(root: Command, program: ProgramName): void {
  const command = root
    .command('demo')
    .summary('see an experiment from its start to its report, on a service that the demo brings')
    .description(
      'Start FizzBuzz as a service (a balancer and two API servers, on loopback), kill one server, stop the other ' +
        'one, and tell whether anybody noticed',
    )
    .option('--nginx', 'Put the nginx of this host in front of the servers, in place of a small balancer of our own')
    .option('--report <FILE>', 'Where to write the report, a page of HTML (default: faultline-demo.html)');
  addOutputOption(command);
  addExamples(
    command,
    [
      'It takes some twenty seconds, needs no root, and touches only processes that it has started itself. Nothing ' +
        'stays behind but the report, however it ends.',
      'The exit code is 0 when the experiment was run to its end, held or deviated: that it deviates is its point. ' +
        '2: it was aborted; 3: an error. It always runs on this host, whatever FAULTLINE_SERVER says.',
    ],
    [
      { command: 'demo', does: 'see it' },
      { command: 'demo --nginx --report nginx.html', does: 'does the real nginx do better?' },
    ],
  );
  command.action(async () => {
    const invocation = invocationOf(program, command);
    const { nginx, report }: DemoFlags = command.opts();
    const { demoSession } = await import('../demo-session.ts');
    await demoSession(invocation, { nginx: nginx === true, report: report ?? 'faultline-demo.html' });
  });
}
