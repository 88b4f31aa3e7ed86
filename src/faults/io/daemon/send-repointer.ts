import { spawn } from 'node:child_process';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { FaultlineError } from '../../../base/error.ts';
import type { ErrorCode } from '../../../base/error-codes.ts';
import type { RepointReport } from '../../../linux/repoint/repoint.ts';
import type { DaemonPlace } from './place.ts';
import type { RepointErrand } from './repointer.ts';

/** The folders of the two sides, opened with O_PATH; undefined where a side has none to offer. */
export interface SideRoots {
  readonly original: number;
  readonly overlay: number | undefined;
}

type Answer =
  | { readonly report: RepointReport }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string | null } };

/** Where it is sent from. */
export interface Sender {
  /** How to run this very program. */
  readonly program: readonly string[];
  readonly place: DaemonPlace;
  /** One that was started before. */
  readonly standby?: Standby;
}

/** A process that waits for an errand. */
interface Repointer {
  /** @throws {FaultlineError} what went wrong there */
  send(errand: RepointErrand): Promise<RepointReport>;
  /** There is none for it. */
  dismiss(): void;
}

function startRepointer({ program, place }: Pick<Sender, 'program' | 'place'>): Repointer {
  const [interpreter = '', ...script] = program;
  const child = spawn(
    interpreter,
    [...script, 'fault-program', '--state-dir', path.dirname(place.folder), 'io', 'repointer'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      cwd: '/',
      // A session of its own: Ctrl-C in a terminal must not catch it half way.
      detached: true,
    },
  );
  const { stdin, stdout } = child;
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
  });
  failed.catch(() => undefined); // told when it is sent
  stdin.on('error', () => undefined); // that it has died is told by its silence
  return {
    send: async (errand) => {
      stdin.end(JSON.stringify(errand));
      return reportIn((await Promise.race([json(stdout).catch(() => undefined), failed])) as Answer | undefined);
    },
    dismiss: () => stdin.end(),
  };
}

function reportIn(answer: Answer | undefined): RepointReport {
  if (answer === undefined) {
    throw new FaultlineError('VOLUME_BUSY', 'the process that moves open files has ended without a word', {
      hint: 'try again; faultline recover --all undoes what it had begun',
    });
  }
  if ('report' in answer) return answer.report;
  const { code, message, hint } = answer.error;
  throw new FaultlineError(code, message, hint === null ? {} : { hint });
}

/** A process that is there before it is needed: to start and to get ready is most of what it does. */
export interface Standby {
  /** It, the first time; undefined from then on. */
  take(): Repointer | undefined;
  /** It is not needed any more. */
  dismiss(): void;
}

export function startStandby(sender: Pick<Sender, 'program' | 'place'>): Standby {
  let waiting: Repointer | undefined = startRepointer(sender);
  const take = (): Repointer | undefined => {
    const taken = waiting;
    waiting = undefined;
    return taken;
  };
  return { take, dismiss: () => take()?.dismiss() };
}

/**
 * Have a process of its own move what users of a volume have open.
 *
 * @throws {FaultlineError} what went wrong there
 */
export function sendRepointer(
  sender: Sender,
  request: Omit<RepointErrand, 'turnFile' | 'sender' | 'originalRoot' | 'overlayRoot'>,
  roots: SideRoots,
): Promise<RepointReport> {
  const repointer = sender.standby?.take() ?? startRepointer(sender);
  return repointer.send({
    ...request,
    sender: process.pid,
    originalRoot: roots.original,
    overlayRoot: roots.overlay ?? null,
    turnFile: sender.place.moveLock,
  });
}
