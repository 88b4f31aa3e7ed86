import type { Host } from '../../linux/host.ts';
import { askFuse, type FuseAnswer, readFileFaultLimits } from '../../linux/fuse/support.ts';
import type { Requirement } from '../fault.ts';

function fuse(answer: FuseAnswer): readonly Requirement[] {
  if (answer.status !== 'usable') {
    const [name, remedy] =
      answer.status === 'missing'
        ? ['/dev/fuse', 'load the module (modprobe fuse); in a container, pass /dev/fuse on to it']
        : ['the right to mount FUSE', 'run as root with CAP_SYS_ADMIN'];
    return [{ name, status: 'missing', detail: answer.reason, remedy }];
  }
  const { minorVersion, passthrough, epochInvalidation } = answer.kernel;
  return [
    { name: '/dev/fuse', status: 'ok', detail: `FUSE 7.${minorVersion}` },
    passthrough
      ? { name: 'FUSE passthrough', status: 'ok', detail: 'data that no rule is about does not go through the daemon' }
      : {
          name: 'FUSE passthrough',
          status: 'degraded',
          detail: 'all data of a volume goes through its daemon, and is slower',
          remedy: 'use Linux 6.9 or newer with CONFIG_FUSE_PASSTHROUGH',
        },
    epochInvalidation
      ? { name: 'FUSE epochs', status: 'ok', detail: 'rules take hold of cached names at once' }
      : {
          name: 'FUSE epochs',
          status: 'degraded',
          detail: 'cached names are dropped one by one when rules change',
          remedy: 'use Linux 6.16 or newer to have it at once',
        },
  ];
}

function capability(host: Host, name: string, detail: string): Requirement {
  if (host.capabilities.has(name)) return { name, status: 'ok', detail };
  return { name, status: 'missing', detail: `without it this does not hold: ${detail}`, remedy: 'run as root' };
}

function tracing(scope: number | undefined): Requirement {
  const name = 'ptrace';
  if (scope !== 3) return { name, status: 'ok', detail: 'open files of running processes can be moved' };
  return {
    name,
    status: 'missing',
    detail: 'kernel.yama.ptrace_scope is 3: nobody may trace',
    remedy: 'it can be lowered only by booting again with another setting',
  };
}

/** What this host gives to faults in files. */
export function checkHost(host: Host): readonly Requirement[] {
  const { ptraceScope } = readFileFaultLimits();
  return [
    ...fuse(askFuse()),
    capability(host, 'CAP_SYS_ADMIN', 'volumes can be mounted over'),
    capability(host, 'CAP_SYS_PTRACE', 'processes of every user can be looked at and moved'),
    tracing(ptraceScope),
  ];
}
