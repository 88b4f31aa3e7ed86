import { FaultlineError } from '../base/error.ts';
import type { ServerOptions } from './options.ts';

/** `recoverCmd`, `recover-cmd`, `RecoverCmd`: clients spell it in many ways, and one that is overlooked is a hole. */
function isRecoverCommand(field: string): boolean {
  return field.replaceAll(/[-_\s]/g, '').toLowerCase() === 'recovercmd';
}

/** Clients written in Go send empty strings for what is not set. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

/** Is there a recover command anywhere in it? A loop and not a recursion: a body may be nested a million deep. */
function holdsRecoverCommand(body: unknown): boolean {
  const open: unknown[] = [body];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    for (const [field, value] of Object.entries(next)) {
      if (isRecoverCommand(field) && isGiven(value)) return true;
      if (typeof value === 'object' && value !== null) open.push(value);
    }
  }
  return false;
}

/**
 * A recover command is run by a shell with the rights of the service, so whoever may send one owns the host. It is
 * taken only where the operator said so when the service was started.
 *
 * @throws {FaultlineError} FORBIDDEN
 */
export function refuseRecoverCommand(options: Pick<ServerOptions, 'allowRecoverCmd'>, body: unknown): void {
  if (options.allowRecoverCmd || !holdsRecoverCommand(body)) return;
  throw new FaultlineError('FORBIDDEN', 'this service takes no recover commands over HTTP', {
    hint: 'start it with --allow-recover-cmd, or attack from a command line on the host',
  });
}
