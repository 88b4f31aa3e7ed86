import { workerData } from 'node:worker_threads';
import type { Interposer } from '../../src/linux/fuse/interposer.ts';
import { serve } from '../../src/linux/fuse/worker-loop.ts';
import type { WorkerOptions } from '../../src/linux/fuse/worker-setup.ts';
import { openChannel, type RuleChannel } from './fuse-rule-channel.ts';

/** The program of a thread of a volume. */
export function serveWith(createInterposer: (channel: RuleChannel) => Interposer): void {
  const { fuse, channel } = workerData as { readonly fuse: WorkerOptions; readonly channel: SharedArrayBuffer };
  serve(fuse, createInterposer(openChannel(channel)));
}
