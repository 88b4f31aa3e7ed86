import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build, type Plugin } from 'esbuild';
import { capabilityNames } from '../../src/linux/capabilities.ts';
import { readStatus } from '../../src/linux/procfs/status.ts';
import { endWithTest } from './children.ts';
import { finished, type Ran } from './cli.ts';
import type { TraceJob, TraceReport } from './trace-program.ts';

const root = path.resolve(import.meta.dirname, '../..');

const rights = capabilityNames(readStatus('self')?.effectiveCapabilities ?? 0n);

/** Tracing takes the right to trace, to suspend seccomp filters, and here to make namespaces. */
export const mayTrace = rights.has('CAP_SYS_PTRACE') && rights.has('CAP_SYS_ADMIN');

/**
 * Bundle a program of `test/support`, into a folder from where koffi can be loaded.
 *
 * @param insteadOfLibc a module of the same folder that the tracing part gets in place of `src/linux/libc.ts`
 */
export async function buildProgram(name: string, insteadOfLibc?: string): Promise<string> {
  const variant = insteadOfLibc === undefined ? name : `${name}-${insteadOfLibc}`;
  const script = path.join(root, 'node_modules/.cache/faultline-test', `${variant}-${process.pid}.mjs`);
  await build({
    entryPoints: [path.join(root, `test/support/${name}.ts`)],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    outfile: script,
    external: ['koffi'],
    banner: { js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);" },
    logLevel: 'error',
    plugins: insteadOfLibc === undefined ? [] : [{ name: 'instead-of-libc', setup: redirect(insteadOfLibc) }],
  });
  return script;
}

function redirect(replacement: string): Plugin['setup'] {
  return (build) => {
    build.onResolve({ filter: /\/libc\.ts$/ }, ({ importer }) =>
      importer.includes('/src/linux/ptrace/') ? { path: path.join(root, `test/support/${replacement}.ts`) } : null,
    );
  };
}

export interface TracerOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
}

/** Start a process that traces. It is ended with the test. */
export function startTracer(script: string, job: TraceJob, { env, uid }: TracerOptions = {}): ChildProcess {
  const child = spawn(process.execPath, [script, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  endWithTest(child);
  return child;
}

/** Wait until a process that traces says a word. */
export async function saysWord(tracer: ChildProcess, word: string): Promise<void> {
  if (tracer.stdout === null) throw new Error('the tracer has no output');
  const lines = createInterface({ input: tracer.stdout });
  for await (const line of lines) if (line === word) return;
  throw new Error(`the tracer ended before it said ${word}`);
}

export function ranTracer(script: string, job: TraceJob, options: TracerOptions = {}): Promise<Ran> {
  return finished(startTracer(script, job, options));
}

/** Run a process that traces to its end, and get its report. */
export async function trace(script: string, job: TraceJob, options: TracerOptions = {}): Promise<TraceReport> {
  const ran = await ranTracer(script, job, options);
  if (ran.code !== 0) throw new Error(`the tracer ended with ${ran.code ?? ran.signal}: ${ran.stderr}`);
  return JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '') as TraceReport;
}
