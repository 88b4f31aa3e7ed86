import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { places, shares } from '../../../scripts/guest/order.ts';
import { bindMount, mount, switchRoot } from './system-calls.ts';

/** Every Linux has this folder, and nobody keeps anything in it: where the new root is put together. */
const assembly = '/sys';

/**
 * The host's root stays as it is; the guest writes to memory, over it.
 *
 * @throws SyscallError
 */
export function mountRoot(): void {
  mount('tmpfs', 'tmpfs', assembly, 'mode=755');
  const [upper, work, root] = ['upper', 'work', 'root'].map((name) => path.join(assembly, name));
  for (const folder of [upper, work, root]) mkdirSync(folder ?? '');
  mount('overlay', 'overlay', root ?? '', `lowerdir=/,upperdir=${upper},workdir=${work}`);
  switchRoot(root ?? '');
}

/** What a Linux has mounted, and what BPF and error injection need. @throws SyscallError */
export function mountSystem(): void {
  mount('proc', 'proc', '/proc');
  mount('sysfs', 'sysfs', '/sys');
  mount('debugfs', 'debugfs', '/sys/kernel/debug');
  mount('tracefs', 'tracefs', '/sys/kernel/tracing');
  mount('bpf', 'bpf', '/sys/fs/bpf', 'mode=700');
  mount('cgroup2', 'cgroup2', '/sys/fs/cgroup');
  mount('devtmpfs', 'devtmpfs', '/dev');
  mkdirSync('/dev/pts', { recursive: true });
  mount('devpts', 'devpts', '/dev/pts', 'ptmxmode=666');
  mkdirSync('/dev/shm', { recursive: true });
  mount('tmpfs', 'tmpfs', '/dev/shm', 'mode=1777');
  mount('tmpfs', 'tmpfs', '/run', 'mode=755');
}

/** A `/tmp` of the guest's own, in memory, in which some folders of the host's are kept. @throws SyscallError */
export function mountTemporary(keep: readonly string[]): void {
  const aside = '/run/faultline-guest/tmp';
  mkdirSync(aside, { recursive: true });
  bindMount('/tmp', aside);
  mount('tmpfs', 'tmpfs', '/tmp', 'mode=1777');
  for (const folder of keep) {
    if (!folder.startsWith('/tmp/')) continue;
    mkdirSync(folder, { recursive: true });
    bindMount(path.join(aside, path.relative('/tmp', folder)), folder);
  }
}

/** The disk, and the folder by which files leave the guest. @throws SyscallError */
export function mountOurs(): void {
  for (const folder of [places.out, places.disk, places.home]) mkdirSync(folder, { recursive: true });
  mount('ext4', '/dev/vda', places.disk);
  mount('9p', shares.out, places.out, 'trans=virtio,version=9p2000.L,msize=524288,cache=none');
}

/** @returns milliseconds since the kernel began: proc_uptime(5) */
export function upMs(): number {
  return Math.round(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000);
}

/** @returns MiB that are in use and could not be had at once: proc_meminfo(5) */
export function usedMib(): number {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const [total = 0, available = 0] = ['MemTotal', 'MemAvailable'].map((name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'mu').exec(text)?.[1]),
  );
  return Math.round((total - available) / 1024);
}
