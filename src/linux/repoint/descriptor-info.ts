/*
 * /proc/PID/fdinfo/N: what the kernel tells of an open file without asking its file system, so that a FUSE server that
 * is dead or slow holds nobody up. proc_pid_fdinfo(5), fs/proc/fd.c, fs/locks.c, io_uring/fdinfo.c.
 */

/** How a file is locked, by one line that begins with `lock:`. */
export interface LockLine {
  /**
   * Who owns it: POSIX a process, OFD and FLOCK an open file description. LEASE and DELEG are no locks but promises.
   */
  readonly type: 'POSIX' | 'OFD' | 'FLOCK' | 'LEASE' | 'DELEG' | 'ACCESS';
  readonly mode: 'READ' | 'WRITE';
  /** First byte. */
  readonly start: bigint;
  /** Last byte; undefined for the end of the file, wherever that will be. */
  readonly end: bigint | undefined;
}

export interface DescriptorInfo {
  /** Of the open file description, in bytes; of a folder a cookie, which has up to 63 bits. */
  readonly position: bigint;
  /** O_* of open(2) as this architecture numbers them, without O_CLOEXEC. */
  readonly flags: number;
  readonly closeOnExec: boolean;
  readonly mountId: number;
  /** Linux 5.14; undefined before. */
  readonly inode: bigint | undefined;
  readonly locks: readonly LockLine[];
}

export const O_CLOEXEC = 0o2000000;

const noLocks: readonly LockLine[] = Object.freeze([]);

/** Parses fdinfo. @returns undefined when it does not have the kernel's form */
export function parseDescriptorInfo(bytes: Buffer): DescriptorInfo | undefined {
  // latin1 is the cheapest, and all that is looked at is ASCII.
  const text = bytes.toString('latin1');
  const position = fieldOf(text, 'pos:\t');
  const flags = fieldOf(text, '\nflags:\t');
  const mountId = fieldOf(text, '\nmnt_id:\t');
  if (position === undefined || flags === undefined || mountId === undefined) return undefined;
  const allFlags = Number.parseInt(flags, 8);
  const inode = fieldOf(text, '\nino:\t');
  return {
    position: BigInt(position),
    flags: allFlags & ~O_CLOEXEC,
    closeOnExec: (allFlags & O_CLOEXEC) !== 0,
    mountId: Number(mountId),
    inode: inode === undefined ? undefined : BigInt(inode),
    locks: text.includes('\nlock:\t') ? parseLocks(text) : noLocks,
  };
}

function fieldOf(text: string, key: string): string | undefined {
  const at = text.indexOf(key);
  if (at === -1) return undefined;
  const end = text.indexOf('\n', at + key.length);
  return text.slice(at + key.length, end === -1 ? undefined : end);
}

/** `lock:\t1: FLOCK  ADVISORY  WRITE 4711 08:02:1234 0 EOF`: lock_get_status in fs/locks.c. */
const lockPattern =
  /^lock:\t\d+: (POSIX|OFDLCK|FLOCK|LEASE|DELEG|ACCESS)\s+\S+\s+(READ|WRITE|UNLCK|RDLCK) \S+ \S+ (\d+) (\d+|EOF)$/gmu;

function parseLocks(text: string): LockLine[] {
  return [...text.matchAll(lockPattern)].map(([, type, mode, start, end]) => ({
    type: type === 'OFDLCK' ? 'OFD' : (type as LockLine['type']),
    mode: mode === 'WRITE' ? 'WRITE' : 'READ',
    start: BigInt(start ?? 0),
    end: end === 'EOF' ? undefined : BigInt(end ?? 0),
  }));
}

/** An inode that inotify or epoll watches. The device is as the kernel holds it: `major << 20 | minor`. */
export interface Watch {
  readonly inode: bigint;
  readonly device: number;
}

/** What an inotify or epoll instance watches, by its fdinfo: fs/notify/fdinfo.c, fs/eventpoll.c. */
export function parseWatches(text: string): Watch[] {
  return [...text.matchAll(/^(?:inotify wd:|tfd:).*? ino:([0-9a-f]+) sdev:([0-9a-f]+)/gmu)].map(
    ([, inode, device]) => ({
      inode: BigInt(`0x${inode}`),
      device: Number.parseInt(device ?? '', 16),
    }),
  );
}

/**
 * The paths of the files that were registered with an io_uring: lines `    0: /data/file` after `UserFiles:`. The
 * kernel escapes white space in them as octal numbers, and some releases tell nothing while the ring is busy.
 */
export function parseRegisteredFiles(text: string): string[] {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith('UserFiles:'));
  if (first === -1) return [];
  const paths: string[] = [];
  for (const line of lines.slice(first + 1)) {
    const [, path] = /^\s*\d+: (.*)$/u.exec(line) ?? [];
    if (path === undefined) break;
    if (path.startsWith('/')) paths.push(path.replaceAll(/\\([0-3][0-7]{2})/gu, (_, octal: string) => unescape(octal)));
  }
  return paths;
}

function unescape(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}
