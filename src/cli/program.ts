import { Command, Option } from 'commander';
import { version } from '../base/version.ts';
import { addApply } from './commands/apply.ts';
import { addAttack } from './commands/attack.ts';
import { addAudit } from './commands/audit.ts';
import { addCompletion } from './commands/completion.ts';
import { addDelete } from './commands/delete.ts';
import { addDemo } from './commands/demo.ts';
import { addDemoProgram } from './commands/demo-program.ts';
import { addDoctor } from './commands/doctor.ts';
import { addHalt } from './commands/halt.ts';
import { addFaultProgram } from './commands/fault-program.ts';
import { addInit } from './commands/init.ts';
import { addKeeper } from './commands/keeper.ts';
import { addManual } from './commands/manual.ts';
import { addOom } from './commands/oom.ts';
import { addPlan } from './commands/plan.ts';
import { addRecover } from './commands/recover.ts';
import { addReport } from './commands/report.ts';
import { addRun } from './commands/run.ts';
import { addRuns } from './commands/runs.ts';
import { addSchedule } from './commands/schedule.ts';
import { addSearch } from './commands/search.ts';
import { addServer } from './commands/server.ts';
import { addShow } from './commands/show.ts';
import { addValidate } from './commands/validate.ts';
import { addVersion } from './commands/version.ts';
import { addWatch } from './commands/watch.ts';
import { addWhy } from './commands/why.ts';
import { chaosdHelp } from './help/chaosd-help.ts';
import { addExamples } from './help/examples.ts';
import { addHelp } from './help/help-command.ts';
import type { ProgramName } from './invocation.ts';
import { write } from './output/style.ts';

const describes: Readonly<Record<ProgramName, string>> = {
  faultline: 'Chaos engineering for Linux: breaks things on purpose, proves it, and undoes it whatever happens',
  chaosd: 'A command line client to run chaos experiments, by Faultline',
};

function rootOf(program: ProgramName): Command {
  return (
    new Command(program)
      .description(describes[program])
      .addOption(
        new Option(
          '--log-level <string>',
          `the log level of ${program}, the value can be 'debug', 'info', 'warn' and 'error'`,
        ),
      )
      .option('--state-dir <DIR>', 'Where the journal is kept (default: FAULTLINE_STATE_DIR, then by user)')
      .version(version, '--version', 'print the version alone')
      .configureHelp({ showGlobalOptions: true })
      .helpOption('-h, --help', 'help for the command')
      .exitOverride()
      // Errors are told by `main`; what else commander takes for one is the help of a command that needs another.
      .configureOutput({
        outputError: () => undefined,
        writeErr: (help) => write('stdout', help),
        writeOut: (help) => write('stdout', help),
      })
  );
}

/** What this program starts by itself. */
const ownCommands = { keeper: addKeeper, 'fault-program': addFaultProgram, 'demo-program': addDemoProgram } as const;

/** The commands that these arguments need: what this program starts by itself is not to wait for all the others. */
export function programFor(program: ProgramName, [word]: readonly string[]): Command {
  if (word !== 'keeper' && word !== 'fault-program' && word !== 'demo-program') return buildProgram(program);
  const root = rootOf(program);
  ownCommands[word](root, program);
  return root;
}

/** The whole command tree: what is parsed, completed, and documented in help and man page. */
export function buildProgram(program: ProgramName): Command {
  const root = rootOf(program);
  addExamples(
    root,
    [],
    [
      { command: 'demo', does: 'see a whole experiment in half a minute' },
      { command: 'doctor', does: 'see what this host supports' },
      { command: 'attack process stop -p nginx --duration 10s', does: 'freeze a process for ten seconds' },
      { command: 'recover --all', does: 'undo everything' },
    ],
  );
  addAttack(root, program);
  addRecover(root, program);
  addApply(root, program);
  addDelete(root, program);
  addHalt(root, program);
  addSchedule(root, program);
  addDemo(root, program);
  addInit(root, program);
  addValidate(root, program);
  addPlan(root, program);
  addRun(root, program);
  addRuns(root, program);
  addReport(root, program);
  addSearch(root, program);
  addShow(root, program);
  addDoctor(root, program);
  addAudit(root, program);
  addWhy(root, program);
  addWatch(root, program);
  addOom(root, program);
  addServer(root, program);
  addVersion(root, program);
  addCompletion(root, program);
  addManual(root);
  addKeeper(root, program);
  addFaultProgram(root, program);
  addDemoProgram(root);
  addHelp(root);
  if (program === 'chaosd') chaosdHelp(root);
  return root;
}
