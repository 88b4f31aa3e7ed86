import type { Host } from '../../linux/host.ts';
import { pidfdSupport } from '../../linux/pidfd.ts';
import { readStat } from '../../linux/procfs/stat.ts';
import type { Requirement } from '../fault.ts';

/** A kernel does not learn while it runs: asked once. */
let support: ReturnType<typeof pidfdSupport> | undefined;

function pidfds(host: Host): readonly Requirement[] {
  support ??= pidfdSupport();
  const { open, exitInfo } = support;
  const release = `Linux ${host.kernelRelease}`;
  return [
    open
      ? { name: 'pidfd_open(2)', status: 'ok', detail: 'signals reach the process that was meant, and no other' }
      : {
          name: 'pidfd_open(2)',
          status: 'missing',
          detail: `${release} does not have it, or a seccomp filter hides it`,
          remedy: 'use Linux 5.3 or newer; in a container, allow pidfd_open and pidfd_send_signal',
        },
    exitInfo
      ? { name: 'PIDFD_INFO_EXIT', status: 'ok', detail: 'the exit status of any process can be seen' }
      : {
          name: 'PIDFD_INFO_EXIT',
          status: 'degraded',
          detail: `${release} does not have it: how a process ended is seen only while it is a zombie`,
          remedy: 'use Linux 6.15 or newer to have it always',
        },
  ];
}

function permission(host: Host): Requirement {
  const name = 'CAP_KILL';
  if (host.capabilities.has(name)) return { name, status: 'ok', detail: 'processes of every user can be hit' };
  const remedy = "run as root to hit other users' processes";
  return { name, status: 'degraded', detail: 'only your own processes can be hit', remedy };
}

function procfs(): Requirement {
  const name = 'procfs';
  if (readStat(1) !== undefined) {
    return { name, status: 'ok', detail: 'every process of this PID namespace can be seen' };
  }
  const detail = '/proc hides processes of other users (hidepid)';
  return { name, status: 'degraded', detail, remedy: 'mount /proc with hidepid=0, or run as root' };
}

/** What this host gives to process faults. */
export function checkHost(host: Host): readonly Requirement[] {
  return [...pidfds(host), permission(host), procfs()];
}
