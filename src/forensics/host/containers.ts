import { formatDuration } from '../../base/duration.ts';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import type { Cause } from '../answer.ts';
import { explainCode } from '../codes/explain-code.ts';
import { ask } from './run-program.ts';

/** What docker or podman says became of a container. */
export interface ContainerState {
  /** 64 digits of sixteen. */
  readonly id: string;
  readonly runtime: string;
  readonly name: string;
  readonly status: string;
  readonly running: boolean;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** What the runtime could not do, if so. */
  readonly error: string;
  readonly finishedAt: string;
  readonly restarts: number;
}

const runtimes = ['docker', 'podman'] as const;

interface Inspected {
  readonly Id?: string;
  readonly Name?: string;
  readonly RestartCount?: number;
  readonly State?: {
    readonly Status?: string;
    readonly Running?: boolean;
    readonly ExitCode?: number;
    readonly OOMKilled?: boolean;
    readonly Error?: string;
    readonly FinishedAt?: string;
  };
}

function parseInspected(runtime: string, text: string): ContainerState | undefined {
  let list: readonly Inspected[];
  try {
    list = JSON.parse(text) as readonly Inspected[];
  } catch {
    return undefined;
  }
  const [one] = list;
  const state = one?.State;
  if (one === undefined || state === undefined) return undefined;
  return {
    id: one.Id ?? '',
    runtime,
    name: (one.Name ?? '').replace(/^\//, ''),
    status: state.Status ?? '',
    running: state.Running ?? false,
    exitCode: state.ExitCode ?? 0,
    oomKilled: state.OOMKilled ?? false,
    error: state.Error ?? '',
    finishedAt: state.FinishedAt ?? '',
    restarts: one.RestartCount ?? 0,
  };
}

/** What the runtimes of this host say about a container. */
export interface ContainerAnswer {
  /** undefined: none of them knows it, as far as they have answered. */
  readonly state: ContainerState | undefined;
  /** Those that took too long to answer. */
  readonly silent: readonly string[];
}

/** Asks docker, then podman. @param timeoutMs how long each may take */
export async function askForContainer(name: string, timeoutMs?: number): Promise<ContainerAnswer> {
  const silent: string[] = [];
  for (const runtime of runtimes) {
    const answer = await ask(runtime, ['container', 'inspect', '--', name], timeoutMs);
    const state = answer.kind === 'said' ? parseInspected(runtime, answer.text) : undefined;
    if (state !== undefined) return { state, silent };
    if (answer.kind === 'late') silent.push(runtime);
  }
  return { state: undefined, silent };
}

/** How long a runtime may take to tell of the container that the user has named, in milliseconds. */
const namedMs = 30_000;

/**
 * The container that the user has named.
 *
 * @returns undefined: no runtime is there, or knows it
 * @throws {FaultlineError} HOST_UNSUPPORTED: one did not answer
 */
export async function findContainer(name: string): Promise<ContainerState | undefined> {
  const { state, silent } = await askForContainer(name, namedMs);
  const [runtime] = silent;
  if (state !== undefined || runtime === undefined) return state;
  throw new FaultlineError('HOST_UNSUPPORTED', `${runtime} did not answer within ${formatDuration(namedMs)}`, {
    hint: `does it work? ${runtime} container inspect ${printable(name)}`,
  });
}

/** Why a container ended; none while it runs. */
export function containerCauses(state: ContainerState): readonly Cause[] {
  const { runtime, name, running, exitCode, oomKilled, error, finishedAt } = state;
  if (running) return [];
  const failed = error === '' ? '' : `, "${error}"`;
  const says = `${runtime} inspect ${name}: exit code ${exitCode}, finished at ${finishedAt}${failed}`;
  const { causes } = explainCode(String(exitCode), { kind: 'exit-code', code: exitCode });
  return causes.map((cause, index): Cause => {
    if (cause.id !== 'oom-killer') return index === 0 ? { ...cause, evidence: [says, ...cause.evidence] } : cause;
    const evidence = oomKilled
      ? [`${runtime} inspect ${name}: OOMKilled is true`]
      : [
          `${runtime} inspect ${name}: OOMKilled is false, which speaks against it`,
          "it is about the container's first process alone",
        ];
    return { ...cause, likelihood: oomKilled ? 'certain' : 'unlikely', evidence };
  });
}
