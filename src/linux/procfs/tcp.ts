/**
 * Which user owns a TCP socket of this host: /proc/net/tcp and tcp6, proc_pid_net(5), net/ipv4/tcp_ipv4.c
 * (tcp4_seq_show) and net/ipv6/tcp_ipv6.c (tcp6_seq_show). They show the network namespace of the reader.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { isErrno, toSyscallError } from '../syscall-error.ts';

/** An address as Node gives it, without a zone: `127.0.0.1`, `::1`, `::ffff:127.0.0.1`. */
export interface TcpEndpoint {
  readonly address: string;
  readonly port: number;
}

/** The content of one of the two files. */
export type TcpTable = 'tcp' | 'tcp6';

const pieceBytes = 64 * 1024;

/** The whole of a file, which is closed then. */
async function readToEnd(file: FileHandle): Promise<string> {
  let text = '';
  const piece = Buffer.allocUnsafe(pieceBytes);
  try {
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, pieceBytes, -1);
      if (bytesRead === 0) return text;
      text += piece.toString('latin1', 0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/**
 * One table as text. A host with many connections has a long one, and the kernel hands out a page at a time, so it is
 * read without holding up whatever else the program does.
 *
 * It is no snapshot: while it is read connections come and go, and one may be missed. None is ever made up.
 *
 * @returns '' where the kernel has no IPv6
 * @throws SyscallError
 */
export async function readTcpTable(table: TcpTable): Promise<string> {
  try {
    return await readToEnd(await open(`/proc/net/${table}`));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw toSyscallError(error);
  }
}

const hexByte = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0');

/** Sixteen bits a group, as the text of an IPv6 address has them; the last two may be written as an IPv4 address. */
function groupsOf(text: string): number[] {
  return text
    .split(':')
    .filter((group) => group !== '')
    .flatMap((group) => {
      if (!group.includes('.')) return [Number.parseInt(group, 16)];
      const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
      return [a * 256 + b, c * 256 + d];
    });
}

/** The 4 or 16 bytes of an address in network order; undefined for what is none. */
function addressBytes(address: string): readonly number[] | undefined {
  if (isIPv4(address)) return address.split('.').map(Number);
  if (!isIPv6(address) || address.includes('%')) return undefined;
  const [head = '', tail] = address.split('::');
  const first = groupsOf(head);
  const last = groupsOf(tail ?? '');
  const groups = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
}

/**
 * `0100007F:7C17`: each 32-bit word of the address is printed as a number of the host, and both x86_64 and arm64 have
 * the lowest byte first; the port is a plain number.
 */
function shownAs(bytes: readonly number[], port: number): string {
  const words = Array.from({ length: bytes.length / 4 }, (_, word) =>
    bytes
      .slice(word * 4, word * 4 + 4)
      .reverse()
      .map(hexByte)
      .join(''),
  );
  return `${words.join('')}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
}

const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

const ipv4Mapped = new BlockList();
ipv4Mapped.addSubnet('::ffff:0:0', 96, 'ipv6');

/** The bytes without the prefix of an IPv4 address that was written as an IPv6 one. */
function unmapped(address: string): readonly number[] | undefined {
  const bytes = addressBytes(address);
  return bytes?.length === 16 && ipv4Mapped.check(address, 'ipv6') ? bytes.slice(12) : bytes;
}

/** What stands in a table for a socket, and in which tables to look for it, the likelier one first. */
export interface TcpSearch {
  readonly table: TcpTable;
  /** `local remote` as the table has them. */
  readonly ends: string;
}

/**
 * How to find the socket with these ends. One that speaks IPv4 may have been made as an IPv6 one, and stands in tcp6
 * with mapped addresses then.
 */
export function tcpSearches(local: TcpEndpoint, remote: TcpEndpoint): readonly TcpSearch[] {
  const [from, to] = [unmapped(local.address), unmapped(remote.address)];
  if (from === undefined || to === undefined || from.length !== to.length) return [];
  const endsOf = (one: readonly number[], other: readonly number[]): string =>
    `${shownAs(one, local.port)} ${shownAs(other, remote.port)}`;
  const six = from.length === 16;
  return [
    ...(six ? [] : [{ table: 'tcp', ends: endsOf(from, to) } as const]),
    { table: 'tcp6', ends: six ? endsOf(from, to) : endsOf([...mappedPrefix, ...from], [...mappedPrefix, ...to]) },
  ];
}

/**
 * After the ends: state, queues, timer, retransmits, uid, timeout, inode. The states (include/net/tcp_states.h) are
 * those of a connection that was made: not one that is being made, one that is over, or a listener.
 */
const rest = /^ 0[14589B] [0-9A-F]{8}:[0-9A-F]{8} [0-9A-F]{2}:[0-9A-F]{8} [0-9A-F]{8} +(\d+) +\d+ (\d+) /;

/**
 * The user whose socket this is: whoever made it, as the user namespace of the reader numbers users.
 *
 * A socket that no process holds any more (closed and not yet gone, TIME_WAIT, or not yet accepted) is shown with inode
 * 0 and as root's. It is nobody's.
 *
 * @param ends as {@link tcpSearches} has them for this table
 * @returns undefined when there is no such socket, or it is nobody's
 */
export function tcpOwner(tableText: string, ends: string): number | undefined {
  const at = tableText.indexOf(`: ${ends} `);
  if (at === -1) return undefined;
  const from = at + 2 + ends.length;
  const [, uid, inode] = rest.exec(tableText.slice(from, from + 120)) ?? [];
  return uid === undefined || inode === undefined || inode === '0' ? undefined : Number(uid);
}
