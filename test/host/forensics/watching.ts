import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { DeathRecord } from '../../../src/forensics/death-record.ts';
import type { Restart } from '../../../src/forensics/watch/restarts.ts';
import { openDeathSource } from '../../../src/linux/death-events/open-source.ts';
import { FaultlineError } from '../../../src/base/error.ts';
import { endWithTest } from '../../support/children.ts';
import { eventually } from '../../support/eventually.ts';
import { startCli, tempStateDir } from '../../support/cli.ts';

/*
 * `faultline watch -o json` in a process of its own, and what it has told so far. It is ended after the test.
 */

type Line =
  | {
      readonly kind: 'watching';
      readonly source: string;
      readonly cannot: readonly string[];
      readonly refused: readonly { readonly kind: string; readonly why: string }[];
    }
  | ({ readonly kind: 'death' } & DeathRecord)
  | ({ readonly kind: 'restart' } & Restart)
  | { readonly kind: 'dropped'; readonly events: number; readonly total: number }
  | { readonly kind: 'end'; readonly deaths: number; readonly dropped: number };

export interface Watching {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly lines: readonly Line[];
  /** Those of one kind. */
  of<Kind extends Line['kind']>(kind: Kind): readonly (Line & { readonly kind: Kind })[];
  /** The death of a process, once it is told. */
  death(pid: number): Promise<DeathRecord>;
  /** Ask it to end. @returns its last line */
  stop(): Promise<Line & { readonly kind: 'end' }>;
  stderr(): string;
}

/** Why deaths cannot be watched here, if so. */
function refusal(kind: 'bpf' | 'tracefs' | 'proc-connector'): string | undefined {
  try {
    openDeathSource(kind).source.close();
    return undefined;
  } catch (error) {
    if (error instanceof FaultlineError) return error.message;
    throw error;
  }
}

/** The sources that this host has. */
export const sources = (['bpf', 'tracefs', 'proc-connector'] as const).filter((kind) => {
  const why = refusal(kind);
  if (why !== undefined) console.warn(`SKIPPED: ${why}`);
  return why === undefined;
});

export async function watching(args: readonly string[] = [], stateDir = tempStateDir()): Promise<Watching> {
  const child = startCli(['watch', '-o', 'json', ...args], { stateDir });
  endWithTest(child);
  const lines: Line[] = [];
  let [rest, errors] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    const parts = (rest + piece).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => JSON.parse(line) as Line));
  });
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => (errors += piece));
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  await eventually('it watches', () => {
    if (isOver()) throw new Error(`watch has ended: ${errors}`);
    return lines.length > 0;
  });
  const of: Watching['of'] = (kind) => lines.filter((line): line is Line & { kind: typeof kind } => line.kind === kind);
  return {
    pid: child.pid ?? 0,
    child,
    lines,
    of,
    death: async (pid) => {
      const found = (): DeathRecord | undefined => of('death').find((death) => death.pid === pid);
      await eventually(`the death of ${pid} is told (${errors})`, () => found() !== undefined);
      return found() as DeathRecord;
    },
    stop: async () => {
      const closed = once(child, 'close');
      child.kill('SIGINT');
      await closed;
      const [end] = of('end');
      if (end === undefined) throw new Error(`it ended without a word: ${errors}`);
      return end;
    },
    stderr: () => errors,
  };
}
