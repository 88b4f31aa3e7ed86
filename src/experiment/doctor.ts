import { accessSync, constants, existsSync } from 'node:fs';
import type { Requirement } from '../faults/fault.ts';
import { faults } from '../faults/registry.ts';
import { isFaultlineError } from '../base/error.ts';
import type { Host } from '../linux/host.ts';
import { readHalt } from '../store/latches.ts';
import { examineForensics } from './doctor-forensics.ts';
import type { EngineContext } from './context.ts';

/** What this host supports of one part of Faultline. */
export interface Examination {
  /** `engine`, the kind of a fault, or `forensics`. */
  readonly part: string;
  readonly requirements: readonly Requirement[];
}

function shell(): Requirement {
  const name = '/bin/sh';
  try {
    accessSync(name, constants.X_OK);
    return { name, status: 'ok', detail: 'recover commands can be run' };
  } catch {
    return { name, status: 'degraded', detail: 'recover commands cannot be run', remedy: 'install a shell as /bin/sh' };
  }
}

function kernel(host: Host): Requirement {
  return { name: 'Linux', status: 'ok', detail: `${host.kernelRelease} on ${host.architecture}` };
}

function node(): Requirement {
  return { name: 'Node.js', status: 'ok', detail: process.versions.node };
}

async function journal(context: EngineContext): Promise<Requirement> {
  const name = 'journal';
  try {
    await context.timeline.write('probe', () => undefined);
    return { name, status: 'ok', detail: `${context.store.file} can be written` };
  } catch (error) {
    if (!isFaultlineError(error)) throw error;
    return { name, status: 'missing', detail: error.message, remedy: error.hint ?? 'see --state-dir' };
  }
}

function attacks(context: EngineContext): Requirement {
  const name = 'attacks';
  const halt = existsSync(context.store.file) ? readHalt(context.store) : undefined;
  if (halt === undefined) return { name, status: 'ok', detail: 'allowed' };
  return { name, status: 'degraded', detail: `halted: ${halt.reason}`, remedy: 'faultline halt --release' };
}

async function policy(context: EngineContext): Promise<Requirement> {
  const name = 'policy';
  try {
    const { file, protect } = await context.policy();
    const detail =
      file === undefined ? 'none: only the built-in rules hold' : `${file} protects ${protect.length} names`;
    return { name, status: 'ok', detail };
  } catch (error) {
    if (!isFaultlineError(error)) throw error;
    return { name, status: 'missing', detail: error.message, remedy: error.hint ?? 'mend it' };
  }
}

/** Ask every part what this host lacks for it. */
export async function examine(context: EngineContext): Promise<readonly Examination[]> {
  const { host } = context;
  const state = await journal(context);
  const engine = [
    kernel(host),
    node(),
    shell(),
    state,
    ...(state.status === 'ok' ? [attacks(context)] : []),
    await policy(context),
  ];
  const examinations: Examination[] = [{ part: 'engine', requirements: engine }];
  for (const descriptor of faults) {
    const fault = await descriptor.load();
    examinations.push({ part: descriptor.kind, requirements: await fault.check(host) });
  }
  examinations.push({ part: 'forensics', requirements: examineForensics() });
  return examinations;
}
