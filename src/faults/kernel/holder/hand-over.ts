import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readStat } from '../../../linux/procfs/stat.ts';
import { identityOf, type ProcessIdentity } from '../../../targets/identity.ts';
import type { Site } from '../../fault.ts';

/** It closes all probes at the same time, and so needs a thread for each. */
const maxThreads = 64;

/** The holder must not inherit what was meant for the command that starts it: a debugger's port, a coverage folder. */
function holderEnvironment(probes: number): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_V8_COVERAGE: _coverage, ...rest } = process.env;
  return { ...rest, UV_THREADPOOL_SIZE: String(Math.min(maxThreads, Math.max(4, probes))) };
}

/**
 * Start a process that does nothing but hold descriptors, until it is told to end. It has them as soon as this
 * resolves, while it is still starting.
 *
 * @param hold the lock that tells of it
 * @param probes what it holds
 */
export async function handOver(
  { program, stateDir }: Site,
  key: string,
  hold: number,
  probes: readonly number[],
): Promise<ProcessIdentity> {
  const [interpreter = '', ...script] = program;
  const command = [...script, 'fault-program', '--state-dir', stateDir, 'kernel', 'holder', `${key}:${probes.length}`];
  // A session of its own: neither a closed terminal nor Ctrl-C reaches it.
  const child = spawn(interpreter, command, {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', hold, ...probes],
    cwd: '/',
    env: holderEnvironment(probes.length),
  });
  await once(child, 'spawn');
  child.unref();
  const stat = child.pid === undefined ? undefined : readStat(child.pid);
  if (stat === undefined) throw new Error('the holder of the probes has ended at once');
  return identityOf(stat);
}
