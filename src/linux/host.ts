import { FaultlineError } from '../base/error.ts';
import { type Architecture, architecture } from './arch.ts';
import { bootId } from './boot-id.ts';
import { capabilityNames } from './capabilities.ts';
import { kernelRelease } from './kernel-release.ts';
import { readNamespace } from './procfs/namespaces.ts';
import { readStatus } from './procfs/status.ts';

/** What Faultline runs on and as whom. */
export interface Host {
  readonly architecture: Architecture;
  readonly kernelRelease: string;
  readonly bootId: string;
  /** Inode number of our PID namespace. */
  readonly pidNamespace: number;
  /** Inode number of our time namespace, in which start times mean something; 0 before Linux 5.6. */
  readonly timeNamespace: number;
  readonly effectiveUid: number;
  /** Our effective capabilities by name: `CAP_KILL`. */
  readonly capabilities: ReadonlySet<string>;
}

/**
 * Looks at the host.
 *
 * @throws FaultlineError ARCHITECTURE_UNSUPPORTED; HOST_UNSUPPORTED: /proc is not mounted, or belongs to another PID
 *   namespace
 */
export function readHost(): Host {
  const status = readStatus('self');
  const pidNamespace = readNamespace('self', 'pid');
  if (status === undefined || pidNamespace === undefined) {
    throw new FaultlineError('HOST_UNSUPPORTED', '/proc is not mounted', { hint: 'mount -t proc proc /proc' });
  }
  // What /proc calls us is not what the kernel calls us: every PID read there would be somebody else's here.
  if (status.tgid !== process.pid) {
    throw new FaultlineError('HOST_UNSUPPORTED', '/proc shows the processes of another PID namespace', {
      hint: 'mount a procfs of this namespace on /proc (unshare --mount-proc), or run outside of it',
    });
  }
  return Object.freeze({
    architecture: architecture(),
    kernelRelease: kernelRelease(),
    bootId: bootId(),
    pidNamespace,
    timeNamespace: readNamespace('self', 'time') ?? 0,
    effectiveUid: status.effectiveUid,
    capabilities: capabilityNames(status.effectiveCapabilities),
  });
}
