import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { signalGroup } from '../../../linux/process-group.ts';
import { isErrno } from '../../../linux/syscall-error.ts';
import { descendantsOf } from '../../../targets/kinship.ts';
import { readProcessTable } from '../../../targets/process-table.ts';
import type { CommandSource } from '../../experiment.ts';
import { firstBytes, textOfBytes } from './first-bytes.ts';
import type { Prober } from './prober.ts';
import { reasonOf } from './reason.ts';
import { type Result, Rounds } from './rounds.ts';

/** For what a command that has ended may still have in its pipe, should a child of its hold that open, in ms. */
const lastOutputMs = 200;

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH', 'EPERM')) throw error;
  }
}

/** The command, its process group, and those of its descendants that have left the group. */
function killFamily(child: ChildProcess): void {
  const { pid } = child;
  // Once it has been reaped, its number may be somebody else's.
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  // Who leaves the group while we look would not be found: nobody of it starts anything or leaves it any more.
  signalGroup(pid, 'SIGSTOP');
  const family = descendantsOf(readProcessTable(), [pid]);
  signalGroup(pid, 'SIGKILL'); // that ends stopped ones, too
  for (const one of family) kill(one);
}

/** As a shell has it: 128 + n where signal n has ended it. */
function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 0) : 128 + constants.signals[signal];
}

function endOf(code: number | null, signal: NodeJS.Signals | null): Pick<Result, 'failure'> {
  if (signal !== null) return { failure: signal };
  return code === 0 ? {} : { failure: `exit code ${code}` };
}

/** A program, run again and again; while it runs it is not started once more. */
export const probeCommand: Prober<CommandSource> = (source, { clock, report, leader }) => {
  const { argv, everyMs, timeoutMs } = source;
  const [file = '', ...args] = argv;

  function begin(finish: (result: Result) => void): () => void {
    // As a shell says that there is no such program, or that it cannot be run.
    const refused = (error: unknown): void =>
      finish({ failure: reasonOf(error), values: { exitCode: isErrno(error, 'ENOENT') ? 127 : 126, output: '' } });
    let child: ChildProcess;
    try {
      // A group of its own, so that all of it can be ended.
      child = spawn(file, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    } catch (error) {
      refused(error);
      return () => undefined;
    }
    Atomics.store(leader, 0, child.pid ?? 0);
    const { stdout } = child;
    const read = stdout === null ? () => Buffer.alloc(0) : firstBytes(stdout);
    child.on('error', refused);
    child.on('exit', (code, signal) => {
      // One that hangs may still be dying when the next runs.
      Atomics.compareExchange(leader, 0, child.pid ?? 0, 0);
      const told = (): void => {
        clearTimeout(patience);
        finish({ ...endOf(code, signal), values: { exitCode: exitCodeOf(code, signal), output: textOfBytes(read()) } });
        stdout?.destroy();
      };
      const patience = setTimeout(told, lastOutputMs);
      child.on('close', told);
    });
    return () => {
      killFamily(child);
      stdout?.destroy();
    };
  }
  const onTimeout = { exitCode: 128 + constants.signals.SIGKILL };
  const plan = { everyMs, timeoutMs, most: 1, whenBusy: 'skip', timed: true, onTimeout } as const;
  const rounds = new Rounds(plan, clock, begin, report);
  return () => rounds.stop();
};
