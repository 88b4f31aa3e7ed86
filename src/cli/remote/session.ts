import type { Operations } from '../../api/operations.ts';
import { printable } from '../../base/text.ts';
import { interruption } from '../interruption.ts';
import type { Invocation } from '../invocation.ts';
import { showProgress } from '../output/progress.ts';
import { remark } from '../output/style.ts';
import { type Client, openClient } from './client.ts';
import { connectionTo } from './connection.ts';
import { remoteOperations } from './operations.ts';

/** A client of the service that the flags name. Whoever opens it closes it. */
export async function openService(server: string, { connection: flags, logLevel }: Invocation): Promise<Client> {
  return openClient(connectionTo(server, flags), {
    signal: interruption().signal,
    trace: (line) => {
      if (logLevel === 'debug') remark(`debug: ${printable(line)}`);
    },
  });
}

/** Do something through a service: check the way to it, show that it is waited for, hang up whatever happens. */
export async function withService<Result>(
  server: string,
  invocation: Invocation,
  body: (operations: Operations) => Promise<Result>,
): Promise<Result> {
  const client = await openService(server, invocation);
  const progress = showProgress(`waiting for the service at ${client.url}`);
  try {
    return await body(remoteOperations(client));
  } finally {
    progress.stop();
    client.close();
  }
}
