import { delay } from '../../../base/delay.ts';
import { readCmdline } from '../../../linux/procfs/cmdline.ts';
import { listPids } from '../../../linux/procfs/process-list.ts';
import { readStat } from '../../../linux/procfs/stat.ts';
import { sendSignal } from '../../../linux/pidfd.ts';
import { closeProcess, openProcess } from '../../../targets/handle.ts';
import { identityOf, type ProcessIdentity } from '../../../targets/identity.ts';
import { isHeld } from './hold-file.ts';

const SIGTERM = 15;
const SIGKILL = 9;

/** How long a holder may take to close its probes, in milliseconds, before it is killed. */
const patienceMs = 10_000;
/** How long the kernel may take to end what was killed, in milliseconds. */
const killedMs = 20_000;
const pollMs = 5;

function signal(identity: ProcessIdentity, number: number): void {
  const opened = openProcess(identity);
  if (opened.state !== 'open') return;
  try {
    sendSignal(opened.handle.pidfd, number);
  } finally {
    closeProcess(opened.handle);
  }
}

/** Who was started with this key: where it was not written down any more who that is. */
function findHolder(key: string): ProcessIdentity | undefined {
  for (const pid of listPids()) {
    if (pid === process.pid || readCmdline(pid)?.some((argument) => argument.startsWith(`${key}:`)) !== true) continue;
    const stat = readStat(pid);
    if (stat !== undefined) return identityOf(stat);
  }
  return undefined;
}

async function released(stateDir: string, key: string, timeoutMs: number): Promise<boolean> {
  const giveUpMs = performance.now() + timeoutMs;
  while (isHeld(stateDir, key)) {
    if (performance.now() > giveUpMs) return false;
    await delay(pollMs);
  }
  return true;
}

/**
 * End whoever holds the probes of an injection, and wait until they are closed.
 *
 * @param known who it is, as far as it was written down
 * @returns false: somebody still holds them
 */
export async function endHolder(stateDir: string, key: string, known: ProcessIdentity | undefined): Promise<boolean> {
  if (!isHeld(stateDir, key)) return true;
  for (const [number, timeoutMs] of [
    [SIGTERM, patienceMs],
    [SIGKILL, killedMs],
  ] as const) {
    const holder = known ?? findHolder(key);
    if (holder !== undefined) signal(holder, number);
    if (await released(stateDir, key, timeoutMs)) return true;
  }
  return false;
}
