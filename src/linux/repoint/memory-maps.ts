/*
 * The memory maps of a process: /proc/PID/maps and smaps; proc_pid_maps(5), proc_pid_smaps(5), fs/proc/task_mmu.c.
 */

/** A memory map of a file. Addresses fit in a double: user space ends below 2^52 on what we run on. */
export interface MemoryMap {
  readonly start: number;
  readonly end: number;
  /** `rwxs` or `rwxp`. */
  readonly permissions: string;
  /** In the file, in bytes. */
  readonly offset: number;
  readonly inode: bigint;
  /** As the kernel shows it: a newline in it is `\012`. One character is one byte. */
  readonly path: string;
}

/** What is known of a map besides: letters of VmFlags in smaps, and the protection key (pkeys(7)). */
export interface MapFlags {
  readonly flags: ReadonlySet<string>;
  readonly protectionKey: number;
}

const mapPattern = /^([0-9a-f]+)-([0-9a-f]+) ([-r][-w][-x][ps]) ([0-9a-f]+) [0-9a-f]+:[0-9a-f]+ (\d+) +(\/.*)$/u;

/** The maps of files whose path may begin with `prefix`; both as latin1, so that one character is one byte. */
export function parseMaps(text: string, prefix: string): MemoryMap[] {
  const maps: MemoryMap[] = [];
  let from = 0;
  for (let at = text.indexOf(prefix); at !== -1; at = text.indexOf(prefix, from)) {
    const lineStart = text.lastIndexOf('\n', at) + 1;
    const lineEnd = text.indexOf('\n', at);
    from = lineEnd === -1 ? text.length : lineEnd;
    const map = parseMap(text.slice(lineStart, from));
    if (map?.path.startsWith(prefix) === true) maps.push(map);
  }
  return maps;
}

function parseMap(line: string): MemoryMap | undefined {
  const [, start = '', end = '', permissions = '', offset = '', inode = '', path = ''] = mapPattern.exec(line) ?? [];
  if (path === '') return undefined;
  return {
    start: Number.parseInt(start, 16),
    end: Number.parseInt(end, 16),
    permissions,
    offset: Number.parseInt(offset, 16),
    inode: BigInt(inode),
    path,
  };
}

/** VmFlags and protection keys by the first address of each map, for maps that begin at one of `wanted`. */
export function parseMapFlags(smaps: string, wanted: ReadonlySet<number>): Map<number, MapFlags> {
  const found = new Map<number, MapFlags>();
  let start: number | undefined;
  let protectionKey = 0;
  for (const line of smaps.split('\n')) {
    const [, first] = /^([0-9a-f]+)-[0-9a-f]+ /u.exec(line) ?? [];
    if (first !== undefined) {
      start = Number.parseInt(first, 16);
      protectionKey = 0;
    } else if (start !== undefined && wanted.has(start)) {
      if (line.startsWith('ProtectionKey:')) protectionKey = Number(line.slice(14));
      if (line.startsWith('VmFlags:')) {
        found.set(start, { flags: new Set(line.slice(8).trim().split(' ')), protectionKey });
      }
    }
  }
  return found;
}
