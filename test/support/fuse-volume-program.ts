import { closeSync, openSync, statSync } from 'node:fs';
import { startFuseSession, type FuseSession } from '../../src/linux/fuse/session.ts';
import { bindFunction } from '../../src/linux/libc.ts';
import { attach, type Attachment, detach } from '../../src/linux/mount/attach.ts';
import { createFuseMount } from '../../src/linux/mount/fuse-mount.ts';
import { createChannelBuffer, openChannel, writeRules } from './fuse-rule-channel.ts';
import type { VolumeOptions, VolumeStatus } from './fuse-volume.ts';

/* Serves one volume for a test, which speaks to it over IPC; when the test is gone it withdraws by itself. */

interface Question {
  readonly id: number;
  readonly what: string;
  readonly value?: unknown;
}

interface Served {
  readonly session: FuseSession;
  readonly attachment: Attachment;
  readonly source: string;
  readonly channel: SharedArrayBuffer;
  readonly failures: string[];
  withdrawn: boolean;
}

let served: Served | undefined;

const setrlimit = bindFunction('setrlimit', 'int', ['int', 'pointer']);
const RLIMIT_NOFILE = 7;

function limitOpenFiles(count: number): void {
  setrlimit(RLIMIT_NOFILE, new BigUint64Array([BigInt(count), BigInt(count)]));
}

/** The folder that is served may be another one than that which is covered. */
async function start(options: VolumeOptions & { readonly workerFile: string }): Promise<void> {
  if (options.openFiles !== undefined) limitOpenFiles(options.openFiles);
  const pathOnly = 0x20_0000;
  const sourceFd = openSync(options.source, pathOnly);
  const fuseFd = openSync('/dev/fuse', 'r+');
  const source = `faultline-test-${process.pid}`;
  const mountFd = createFuseMount({ fuseFd, source, rootMode: statSync(options.source).mode });
  const channel = createChannelBuffer(options.rules);
  const failures: string[] = [];
  const session = await startFuseSession({
    fuseFd,
    rootFd: sourceFd,
    workerFile: options.workerFile,
    workerData: { channel },
    workers: options.workers ?? 4,
    cacheMs: options.cacheMs ?? 0,
    passthrough: options.passthrough ?? true,
    ...(options.maxNodeDescriptors === undefined ? {} : { maxNodeDescriptors: options.maxNodeDescriptors }),
    onFailure: ({ worker, error }) => {
      failures.push(`thread ${worker}: ${error.stack ?? error.message}`);
    },
  });
  const attachment = await attach({ path: options.mount, mountFd });
  closeSync(mountFd);
  served = { session, attachment, source, channel, failures, withdrawn: false };
  void session.over.then(
    () => process.exit(failures.length > 0 ? 3 : 0),
    () => process.exit(4),
  );
}

async function withdraw(volume: Served): Promise<void> {
  if (volume.withdrawn) return;
  volume.withdrawn = true;
  await volume.session.stop();
  const { mountNamespace, mountId, uniqueMountId } = volume.attachment;
  await detach({
    pids: [process.pid],
    mountNamespace,
    mount: { mountId, uniqueMountId },
    source: volume.source,
    served: true,
  });
}

function status({ session, channel, failures }: Served): VolumeStatus {
  return {
    ...session.status(),
    counts: [...openChannel(channel).counts],
    passthrough: session.agreement.passthrough,
    residentBytes: process.memoryUsage.rss(),
    failures,
  };
}

async function answer({ what, value }: Question): Promise<unknown> {
  if (what === 'start') return start(value as VolumeOptions & { readonly workerFile: string });
  if (served === undefined) throw new Error('nothing is served');
  switch (what) {
    case 'status':
      return status(served);
    case 'rules':
      writeRules(served.channel, value);
      return served.session.rulesChanged();
    case 'caching':
      return served.session.setCaching(Number(value));
    case 'withdraw':
    case 'end':
      return withdraw(served);
    default:
      throw new Error(`what is ${what}?`);
  }
}

process.on('message', (question: Question) => {
  answer(question).then(
    (value) => process.send?.({ id: question.id, value }),
    (error: unknown) =>
      process.send?.({ id: question.id, error: error instanceof Error ? error.stack : String(error) }),
  );
});

process.on('disconnect', () => {
  if (served === undefined) process.exit(1);
  void withdraw(served);
  // Whoever still has files of it open has lost the test as well.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 5000).unref();
});
