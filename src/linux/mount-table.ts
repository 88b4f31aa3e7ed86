import { type ProcessRef, readProcessFile } from './procfs/read.ts';
import { isErrno } from './syscall-error.ts';

/** One line of /proc/PID/mountinfo: proc_pid_mountinfo(5). */
export interface Mount {
  readonly mountId: number;
  readonly parentId: number;
  /** `major:minor` of the file system. */
  readonly device: string;
  /** The folder of the file system that forms the root of this mount; not `/` for bind mounts. */
  readonly root: string;
  /** Where it is mounted, seen from the root of the process. */
  readonly mountPoint: string;
  /** Options of this mount: `rw`, `relatime`. */
  readonly options: readonly string[];
  /** Optional fields: `shared:2`, `master:1`, `propagate_from:3`, `unbindable`. */
  readonly propagation: readonly string[];
  readonly fsType: string;
  readonly source: string;
  /** Options of the file system, whichever mount it is seen through. */
  readonly superOptions: readonly string[];
}

/**
 * The mounts that a process sees, in the order of mounting; undefined when the process is gone, or a zombie.
 *
 * @throws SyscallError EACCES: not ours to look at
 */
export function readMounts(process: ProcessRef): Mount[] | undefined {
  try {
    const bytes = readProcessFile(process, 'mountinfo');
    return bytes === undefined ? undefined : parseMounts(bytes.toString('utf8'));
  } catch (error) {
    // A zombie has let go of its mount namespace already: mounts_open_common in fs/proc_namespace.c.
    if (isErrno(error, 'EINVAL')) return undefined;
    throw error;
  }
}

/** Parses /proc/PID/mountinfo. Lines that do not have its form are passed over. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => parseMount(line) ?? []);
}

/** Fields: id, parent, device, root, mount point, options, any number of optional ones, `-`, type, source, options. */
function parseMount(line: string): Mount | undefined {
  const fields = line.split(' ');
  const separator = fields.indexOf('-');
  const [mountId, parentId, device, root, mountPoint, options] = fields;
  const [fsType, source, superOptions] = fields.slice(separator + 1);
  if (separator === -1 || options === undefined || superOptions === undefined) return undefined;
  return {
    mountId: Number(mountId),
    parentId: Number(parentId),
    device: device ?? '',
    root: unescapeOctal(root ?? ''),
    mountPoint: unescapeOctal(mountPoint ?? ''),
    options: options.split(','),
    propagation: fields.slice(6, separator),
    fsType: unescapeOctal(fsType ?? ''),
    source: unescapeOctal(source ?? ''),
    superOptions: superOptions.split(','),
  };
}

/** Space, tab, newline, backslash and `#` come as a backslash and three octal digits: fs/proc_namespace.c. */
export function unescapeOctal(text: string): string {
  return text.replace(/\\([01][0-7]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
