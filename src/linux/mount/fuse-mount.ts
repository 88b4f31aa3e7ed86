import { closeSync } from 'node:fs';
import { createFs, type MountAttribute, mountDetached, openFsContext, setFsFlag, setFsString } from './fs-context.ts';

/** Our mounts are of the type `fuse.faultline` to whoever looks at the mount table. */
const FUSE_SUBTYPE = 'faultline';
export const FUSE_TYPE = `fuse.${FUSE_SUBTYPE}`;

export interface FuseMountOptions {
  /** An open `/dev/fuse` that serves nothing yet. The mount lives as long as it, and its clones, are open. */
  readonly fuseFd: number;
  /** What the mount table shows as the source. Should be unique, so that the mount can be told from others. */
  readonly source: string;
  /** The part of the type after `fuse.`. */
  readonly subtype?: string;
  /** st_mode of the folder that will be covered: what the root shows until it is asked for. */
  readonly rootMode: number;
  /** What the mount below has: a program that is set-uid there must be so here, and no other. */
  readonly attributes?: readonly MountAttribute[];
  /** The kernel asks for at most so many bytes at a time; by default as many as INIT allows. */
  readonly maxRead?: number;
}

/** S_IFDIR | S_IFMT of st_mode are kept, only permission bits may change: fuse_parse_param of fs/fuse/inode.c. */
const MODE_MASK = 0o177777;

/**
 * Mounts FUSE, standing nowhere yet: mount(8) of fuse, fs/fuse/inode.c, mount.fuse3(8).
 *
 * The kernel checks permissions by the attributes that it is given (`default_permissions`), and lets everybody in
 * (`allow_other`), as on any file system. It sends INIT at once; the mount may be placed before that is answered, but
 * whoever looks into it waits.
 *
 * @returns a descriptor of the mount, closed on exec; closing it unmounts as long as it was not placed
 * @throws SyscallError EPERM: CAP_SYS_ADMIN is missing; ENODEV: the kernel has no FUSE; EINVAL: fuseFd is used already
 * @throws FaultlineError HOST_UNSUPPORTED: an option is refused
 */
export function createFuseMount(options: FuseMountOptions): number {
  const context = openFsContext('fuse');
  try {
    const settings: Readonly<Record<string, string | undefined>> = {
      source: options.source,
      subtype: options.subtype ?? FUSE_SUBTYPE,
      fd: String(options.fuseFd),
      rootmode: (options.rootMode & MODE_MASK).toString(8),
      user_id: String(process.geteuid?.() ?? 0),
      group_id: String(process.getegid?.() ?? 0),
      max_read: options.maxRead?.toString(),
    };
    for (const [key, value] of Object.entries(settings)) {
      if (value !== undefined) setFsString(context, key, value);
    }
    setFsFlag(context, 'default_permissions');
    setFsFlag(context, 'allow_other');
    createFs(context);
    return mountDetached(context, options.attributes ?? []);
  } finally {
    closeSync(context);
  }
}
