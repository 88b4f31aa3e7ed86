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
}

/**
 * Have a process of its own move what users of a volume have open.
 *
 * @throws {FaultlineError} what went wrong there
 */
export async function sendRepointer(
  { program, place }: Sender,
  request: Omit<RepointErrand, 'turnFile' | 'hasOverlayRoot'>,
  roots: SideRoots,
): Promise<RepointReport> {
  const errand: RepointErrand = {
    ...request,
    hasOverlayRoot: roots.overlay !== undefined,
    turnFile: place.moveLock,
  };
  const [interpreter = '', ...script] = program;
  const child = spawn(
    interpreter,
    [...script, 'fault-program', '--state-dir', path.dirname(place.folder), 'io', 'repointer'],
    {
      stdio: ['pipe', 'pipe', 'inherit', roots.original, roots.overlay ?? 'ignore'],
      cwd: '/',
      // A session of its own: Ctrl-C in a terminal must not catch it half way.
      detached: true,
    },
  );
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('the re-pointer has no standard input or output');
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
  });
  stdin.on('error', () => undefined); // that it has died is told by its silence
  stdin.end(JSON.stringify(errand));
  const answer = (await Promise.race([json(stdout).catch(() => undefined), ended])) as Answer | undefined;
  if (answer === undefined) {
    throw new FaultlineError('VOLUME_BUSY', 'the process that moves open files has ended without a word', {
      hint: 'try again; faultline recover --all undoes what it had begun',
    });
  }
  if ('report' in answer) return answer.report;
  const { code, message, hint } = answer.error;
  throw new FaultlineError(code, message, hint === null ? {} : { hint });
}
