import type { Operations } from '../../api/operations.ts';
import { printable } from '../../base/text.ts';
import { interruption } from '../interruption.ts';
import type { Invocation } from '../invocation.ts';
import { showProgress } from '../output/progress.ts';
import { remark } from '../output/style.ts';
import { openClient } from './client.ts';
import { connectionTo } from './connection.ts';
import { remoteOperations } from './operations.ts';

/** Do something through a service: check the way to it, show that it is waited for, hang up whatever happens. */
export async function withService<Result>(
  server: string,
  { connection: flags, logLevel }: Invocation,
  body: (operations: Operations) => Promise<Result>,
): Promise<Result> {
  const connection = connectionTo(server, flags);
  const client = await openClient(connection, {
    signal: interruption().signal,
    trace: (line) => {
      if (logLevel === 'debug') remark(`debug: ${printable(line)}`);
    },
  });
  const progress = showProgress(`waiting for the service at ${connection.url}`);
  try {
    return await body(remoteOperations(client));
  } finally {
    progress.stop();
    client.close();
  }
}
