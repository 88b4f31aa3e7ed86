import { localOperations } from '../api/local.ts';
import type { Operations } from '../api/operations.ts';
import { FaultlineError } from '../base/error.ts';
import { serverNamed } from './connection-options.ts';
import { withEngine } from './engine-session.ts';
import type { Invocation } from './invocation.ts';

export interface OperationsOptions {
  /**
   * When to undo what other commands left behind. A dry run changes nothing; what is asked for by name is done first
   * and told as such. A service does so by itself.
   */
  readonly repair: 'before' | 'after' | 'never';
}

/** Flags of a service without a service are a slip: what was meant for another host must not happen here. */
function refuseStrayFlags({ connection }: Invocation): void {
  const { tokenFile, serverCa, clientCert, clientKey } = connection;
  if ([tokenFile, serverCa, clientCert, clientKey].every((flag) => flag === undefined)) return;
  throw new FaultlineError(
    'ARGUMENT_INVALID',
    '--token-file, --server-ca, --client-cert and --client-key need a service',
    {
      hint: 'name it with --server URL, or leave them out to act on this host',
    },
  );
}

function refuseStateDir(): never {
  throw new FaultlineError('ARGUMENT_INVALID', 'a service has its own state folder: --state-dir means nothing to it', {
    hint: "leave --state-dir out, or act on this host with --server ''",
  });
}

async function here<Result>(
  invocation: Invocation,
  { repair }: OperationsOptions,
  body: (operations: Operations) => Promise<Result>,
): Promise<Result> {
  return withEngine(invocation, { via: 'cli', supervise: repair === 'before' }, async (engine) => {
    const result = await body(localOperations(engine));
    if (repair === 'after') await engine.supervise();
    return result;
  });
}

/**
 * The service that the flags or the environment name, unchecked; undefined: act on this host.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID: flags that mean nothing then
 */
export function serviceNamed(invocation: Invocation): string | undefined {
  const server = serverNamed(invocation.connection);
  if (server === undefined) refuseStrayFlags(invocation);
  else if (invocation.stateDir !== undefined) refuseStateDir();
  return server;
}

/**
 * For commands that act on this host alone: whoever has named a service means its host, and must not hit this one.
 *
 * @param command `run FILE`
 * @throws {FaultlineError} ARGUMENT_INVALID
 */
export function refuseService({ connection, program }: Invocation, command: string): void {
  if (serverNamed(connection) === undefined) return;
  const [name = ''] = command.split(' ');
  const sentence = `FAULTLINE_SERVER names a service, but ${program} ${name} acts on this host only`;
  throw new FaultlineError('ARGUMENT_INVALID', sentence, {
    hint: `call it on the service's host; or, if you mean this one: FAULTLINE_SERVER= ${program} ${command}`,
  });
}

/** Do something with Faultline: on this host, or through the service that the flags or the environment name. */
export async function withOperations<Result>(
  invocation: Invocation,
  options: OperationsOptions,
  body: (operations: Operations) => Promise<Result>,
): Promise<Result> {
  const server = serviceNamed(invocation);
  if (server === undefined) return here(invocation, options, body);
  const { withService } = await import('./remote/session.ts');
  return withService(server, invocation, body);
}
