import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';
import type { RepointReport, RepointRequest } from '../../../src/linux/repoint/repoint.ts';
import type { RepointStep } from '../../../src/linux/repoint/swap.ts';
import type { SideKind } from '../../../src/linux/repoint/volume-side.ts';
import type { TestVolume } from './lab.ts';

export interface SwapOrder extends Pick<RepointRequest, 'scope' | 'rescuePids' | 'maxRounds'> {
  readonly towards: SideKind;
  readonly deadlineMs?: number;
  /** Where it is killed, or throws. */
  readonly trap?: {
    readonly step: RepointStep;
    readonly pid?: number;
    /** The first time it comes by is 1. */
    readonly time?: number;
    readonly deed?: 'kill' | 'throw';
  };
}

const root = path.resolve(import.meta.dirname, '../../..');
let bundle: Promise<string> | undefined;

/** The program in one file, made once a run: what moves processes must not be the parent of any of them. */
function swapperScript(): Promise<string> {
  bundle ??= (async () => {
    const outfile = path.join(root, `node_modules/.cache/faultline-test/repoint-swapper-${process.pid}.mjs`);
    await build({
      entryPoints: [path.join(root, 'test/support/repoint-program.ts')],
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      outfile,
      external: ['koffi'],
      banner: { js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);" },
      logLevel: 'error',
    });
    return outfile;
  })();
  return bundle;
}

/** A process that moves others. */
export interface Swapper {
  readonly pid: number;
  /** @throws Error: it was killed */
  order(order: SwapOrder): Promise<RepointReport>;
  /** Gives an order which it does not survive. */
  orderToDie(order: SwapOrder): Promise<void>;
}

export async function startSwapper(volume: TestVolume): Promise<Swapper> {
  const script = await swapperScript();
  const { original, overlay } = volume.folders;
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit', original, overlay] });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  await once(child, 'spawn');
  if (child.stdin === null || child.stdout === null) throw new Error('it has no input or output');
  const { stdin } = child;
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid ?? 0,
    async order(order) {
      stdin.write(`${JSON.stringify(order)}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error(`the swapper ended (${child.exitCode ?? child.signalCode})`);
      return JSON.parse(line.value) as RepointReport;
    },
    async orderToDie(order) {
      stdin.write(`${JSON.stringify(order)}\n`);
      await exited;
    },
  };
}
