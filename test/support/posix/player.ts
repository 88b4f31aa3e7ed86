import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { CheckRequest } from '../fs-model/check.ts';
import type { RoamRequest } from '../fs-model/roam.ts';
import { type FileSystem, abortMount } from './file-system.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import type { Observations } from './scene.ts';

export interface PlayRequest {
  readonly name: string;
  readonly folder: string;
  readonly fileSystem: FileSystem;
}

export type PlayerRequest =
  | { readonly play: PlayRequest }
  | { readonly check: CheckRequest }
  | { readonly roam: RoamRequest };

export type PlayerAnswer =
  | { readonly observations: Observations }
  | { readonly difference: string | undefined }
  | { readonly strange: readonly string[] }
  | { readonly error: string };

/** A process that works on files, one request at a time. */
export interface Player {
  /** @throws Error where the case fails, the process dies, or nothing is heard of it for very long */
  play(request: PlayRequest): Promise<Observations>;
  /** @returns how a folder differs from the model; undefined when it does not */
  check(request: CheckRequest): Promise<string | undefined>;
  /** @returns results that never should be, whoever else is at work there */
  roam(request: RoamRequest): Promise<readonly string[]>;
  end(): Promise<void>;
}

const patienceMs = 100_000;

interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly answers: AsyncIterator<string>;
  readonly stderr: () => string;
}

function start(script: string): Running {
  const child = spawn(process.execPath, [script], { cwd: '/' });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4_000);
  });
  child.stdin.on('error', () => {}); // told by its end
  return { child, answers: createInterface({ input: child.stdout })[Symbol.asyncIterator](), stderr: () => stderr };
}

async function end({ child }: Running): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function within<Result>(work: Promise<Result>): Promise<Result | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, patienceMs, 'late');
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/**
 * @param script the bundle of posix-program.ts
 * @param mounts that are aborted when a request does not end
 */
export function startPlayer(script: string, mounts: readonly string[]): Player {
  let running: Running | undefined;

  async function giveUp(lost: Running, why: string): Promise<never> {
    running = undefined;
    for (const mount of mounts) abortMount(mount);
    await end(lost);
    throw new Error(`${why}\n${lost.stderr()}`);
  }

  async function ask(what: string, request: PlayerRequest): Promise<PlayerAnswer> {
    running ??= start(script);
    running.child.stdin.write(encodeMessage(request));
    const next = await within(running.answers.next());
    if (next === 'late') return giveUp(running, `nothing was heard of ${what}`);
    if (next.done === true) return giveUp(running, `${what} has ended its process`);
    const answer = decodeMessage(next.value) as PlayerAnswer;
    if ('error' in answer) throw new Error(`${what}: ${answer.error}\n${running.stderr()}`);
    return answer;
  }

  return {
    play: async (request) => {
      const answer = await ask(`"${request.name}" in ${request.folder}`, { play: request });
      return 'observations' in answer ? answer.observations : {};
    },
    check: async (request) => {
      const answer = await ask(`the model in ${request.parent}`, { check: request });
      return 'difference' in answer ? answer.difference : undefined;
    },
    roam: async (request) => {
      const answer = await ask(`${request.seed} in ${request.folder}`, { roam: request });
      return 'strange' in answer ? answer.strange : [];
    },
    end: async () => {
      if (running !== undefined) await end(running);
      running = undefined;
    },
  };
}
