import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { buildCrashingProgram } from '../../support/crashing.ts';
import type { TargetAnswer, TargetRequest } from '../../support/io-target-program.ts';
import { start } from '../targets/processes.ts';

export interface Target {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Have it do something, with the file that it has open all the time, or with one that it opens for this. */
  ask(request: TargetRequest & { readonly file?: string }): Promise<TargetAnswer>;
}

let script: Promise<string> | undefined;

export interface TargetOptions {
  /** What it is started by: a program and its arguments, before the target's own. */
  readonly by?: readonly string[];
  readonly uid?: number;
  readonly cwd?: string;
}

/** A program that has a file open, and is ended after the test. */
export async function startTarget(file: string, { by = [], uid, cwd }: TargetOptions = {}): Promise<Target> {
  script ??= buildCrashingProgram('io-target-program');
  const [command, ...args] = [...by, process.execPath, await script, file];
  const { child, pid } = await start(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
    ...(cwd === undefined ? {} : { cwd }),
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('it has no pipes');
  stdin.on('error', () => undefined); // told by its silence
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const hear = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error('the target has ended');
    return value;
  };
  await hear(); // it has opened its file
  return Object.freeze({
    pid,
    child,
    ask: async (request: TargetRequest) => {
      stdin.write(`${JSON.stringify(request)}\n`);
      return JSON.parse(await hear()) as TargetAnswer;
    },
  });
}
