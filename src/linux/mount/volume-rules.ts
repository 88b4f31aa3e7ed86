import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import type { Mount } from '../mount-table.ts';
import { FUSE_TYPE } from './fuse-mount.ts';

/** File systems that the kernel makes up: their files are no data, and the host does not work without them. */
const kernelTypes: ReadonlySet<string> = new Set([
  'autofs',
  'binder',
  'binfmt_misc',
  'bpf',
  'cgroup',
  'cgroup2',
  'configfs',
  'debugfs',
  'devpts',
  'devtmpfs',
  'efivarfs',
  'fusectl',
  'mqueue',
  'nfsd',
  'nsfs',
  'proc',
  'pstore',
  'resctrl',
  'rpc_pipefs',
  'securityfs',
  'selinuxfs',
  'smackfs',
  'sysfs',
  'tracefs',
]);

/** Folders that hold such file systems, whatever they lie on themselves. */
const kernelFolders: ReadonlySet<string> = new Set(['/proc', '/sys', '/dev']);

const MAX_PATH = 4095;

function invalid(sentence: string, hint: string): FaultlineError {
  return new FaultlineError('VOLUME_INVALID', sentence, { hint });
}

/**
 * The path of a volume as it was given, without superfluous slashes and dots.
 *
 * @throws FaultlineError VOLUME_INVALID: it is not absolute, leads upward, is too long, or is `/`
 */
export function normalizeVolumePath(given: string): string {
  const shown = printable(given);
  if (!given.startsWith('/')) {
    throw invalid(`the volume must be an absolute path, not "${shown}"`, 'give it from the root on: /var/lib/data');
  }
  const names = given.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) {
    throw invalid(`the volume's path must not lead upward: ${shown}`, 'give it without ".."');
  }
  const path = `/${names.join('/')}`;
  if (given.includes('\0') || Buffer.byteLength(path) > MAX_PATH) {
    throw invalid('the volume is not a path', 'a path has at most 4095 bytes, and none that is 0');
  }
  refuseRoot(path);
  return path;
}

/** @throws FaultlineError VOLUME_INVALID */
export function refuseRoot(path: string): void {
  if (path !== '/') return;
  throw invalid('the volume must not be the root of all files', 'name the folder that holds the data');
}

/**
 * @param path resolved, from the root of the process
 * @throws FaultlineError VOLUME_INVALID: the kernel's own; VOLUME_BUSY: one of our mounts, or around one
 */
export function refuseMount(path: string, mount: Mount, submounts: readonly Mount[]): void {
  const shown = printable(path);
  if (mount.fsType === FUSE_TYPE) throw taken(printable(mount.mountPoint));
  if (kernelFolders.has(path) || isWithinKernelFolder(path, mount)) {
    throw invalid(`${shown} belongs to the kernel`, 'faults in files are for folders that hold data');
  }
  if (kernelTypes.has(mount.fsType)) {
    throw invalid(
      `${shown} is on ${printable(mount.fsType)}, which the kernel makes up`,
      'faults in files are for file systems that hold data',
    );
  }
  const ours = submounts.find(({ fsType }) => fsType === FUSE_TYPE);
  if (ours !== undefined) throw taken(printable(ours.mountPoint));
}

/** In a container /dev is an ordinary tmpfs; what has a mount of its own there, as /dev/shm, may hold data. */
function isWithinKernelFolder(path: string, { mountPoint }: Mount): boolean {
  return [...kernelFolders].some((folder) => isWithin(path, folder) && !isWithin(mountPoint, `${folder}/`));
}

function taken(shown: string): FaultlineError {
  return new FaultlineError('VOLUME_BUSY', `there are faults in the files of ${shown} already`, {
    hint: 'recover that injection first: faultline search --kind io',
  });
}

/** Is a path that folder, or below it? A folder with a slash at its end is not within itself. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/**
 * The mount that a path would be found on if no symbolic link were on its way: to know one of ours before going there,
 * where it might not be served any more.
 */
export function mountByName(path: string, mounts: readonly Mount[]): Mount | undefined {
  const depth = (mount: Mount): number => mount.mountPoint.length;
  return mounts
    .filter(({ mountPoint }) => isWithin(path, mountPoint))
    .reduce<Mount | undefined>(
      (best, mount) => (best === undefined || depth(mount) >= depth(best) ? mount : best),
      undefined,
    );
}
