import type { Command } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { toJson } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { sayDocument } from '../output/format.ts';
import { say } from '../output/style.ts';
import { addOutputOption } from './common.ts';

function parseTop(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new FaultlineError('ARGUMENT_INVALID', `--top "${printable(text)}" is not a whole number above zero`, {
    hint: 'write 1 or more, in digits',
  });
}

/** `oom`: who would be killed next when memory runs out, and the settings that decide it. */
export function addOom(root: Command, program: ProgramName): void {
  const command = root
    .command('oom')
    .summary('tell whom the OOM killer would kill next')
    .description('Tell whom the OOM killer would kill next, the first first, and what the settings of the kernel mean')
    .option('--cgroup <PATH>', 'When this cgroup reaches its limit; without it, when the host runs out of memory')
    .option('--top <N>', 'At most so many processes', '10');
  addOutputOption(command);
  addExamples(
    command,
    [
      'The kernel kills the process with the highest badness: memory that is resident or swapped out, its page ' +
        'tables, and oom_score_adj thousandths of all memory. -1000 spares a process, and so does being PID 1.',
    ],
    [
      { command: 'oom', does: 'who goes first on this host?' },
      { command: 'oom --cgroup /system.slice/api.service --top 3', does: 'who goes first in this service?' },
    ],
  );
  command.action(async () => {
    const { format } = invocationOf(program, command);
    const options = command.opts<{ readonly cgroup?: string; readonly top: string }>();
    const top = parseTop(options.top);
    const [{ rankForOom }, { readOomSettings }] = await Promise.all([
      import('../../forensics/oom-ranking.ts'),
      import('../../forensics/oom-sysctls.ts'),
    ]);
    const ranking = rankForOom(options.cgroup);
    const settings = readOomSettings();
    if (format === 'text') {
      const { oomText } = await import('../output/oom-text.ts');
      say(await oomText(ranking, settings, top));
    } else {
      const processes = ranking.processes.slice(0, top);
      await sayDocument(toJson({ ...ranking, processes, total: ranking.processes.length, settings }), format);
    }
  });
}
