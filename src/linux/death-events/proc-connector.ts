import { closeSync } from 'node:fs';
import { FaultlineError } from '../../base/error.ts';
import { isErrno } from '../syscall-error.ts';
import { firstPidNamespace, readNamespace } from '../procfs/namespaces.ts';
import { growReceiveBuffer, openNetlink, receiveMessage, sendMessage } from './socket.ts';

/*
 * The process events connector: netlink messages for each fork, exec and exit. Layouts are those of
 * include/uapi/linux/netlink.h, connector.h and cn_proc.h; they are the same on every architecture.
 */

const NETLINK_CONNECTOR = 11;
const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;
const NLMSG_DONE = 3;
const PROC_CN_MCAST_LISTEN = 1;

/** struct nlmsghdr; struct cn_msg; struct proc_event up to its data */
const netlinkBytes = 16;
const connectorBytes = 20;
const eventAt = netlinkBytes + connectorBytes;
const dataAt = eventAt + 16;

/** enum proc_cn_event */
const What = { fork: 0x1, exec: 0x2, comm: 0x200, exit: 0x8000_0000 } as const;

const receiveBytes = 8 * 1024 * 1024;
const messageBytes = 8 * 1024;

/** Processes alone: threads are left out. PIDs are those of the first PID namespace. */
export type ProcEvent =
  | { readonly kind: 'fork'; readonly parent: number; readonly pid: number }
  | { readonly kind: 'exec' | 'comm'; readonly pid: number; readonly atMs: number }
  | {
      readonly kind: 'exit';
      readonly pid: number;
      /** null before Linux 4.20. */
      readonly ppid: number | null;
      readonly status: number;
      readonly atMs: number;
    };

export interface ProcConnector {
  read(): readonly ProcEvent[];
  dropped(): number;
  close(): void;
}

function listenMessage(): Buffer {
  const message = Buffer.alloc(eventAt + 4);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(NLMSG_DONE, 4);
  message.writeUInt32LE(process.pid, 12);
  message.writeUInt32LE(CN_IDX_PROC, netlinkBytes);
  message.writeUInt32LE(CN_VAL_PROC, netlinkBytes + 4);
  message.writeUInt16LE(4, netlinkBytes + 16);
  message.writeUInt32LE(PROC_CN_MCAST_LISTEN, eventAt);
  return message;
}

/** The answer to what we asked, or an event. */
function parse(message: Buffer): ProcEvent | undefined {
  const u32 = (at: number): number => message.readUInt32LE(at);
  const [first, second] = [u32(dataAt), u32(dataAt + 4)];
  const atMs = Number(message.readBigUInt64LE(eventAt + 8)) / 1e6;
  switch (u32(eventAt)) {
    case What.fork: {
      // parent_pid, parent_tgid, child_pid, child_tgid: a new thread has the group of another
      const child = u32(dataAt + 8);
      return child === u32(dataAt + 12) ? { kind: 'fork', parent: second, pid: child } : undefined;
    }
    case What.exec:
      return { kind: 'exec', pid: second, atMs };
    case What.comm:
      return first === second ? { kind: 'comm', pid: second, atMs } : undefined;
    case What.exit: {
      if (first !== second) return undefined;
      const ppid = message.length >= dataAt + 24 ? u32(dataAt + 20) : 0;
      return { kind: 'exit', pid: second, ppid: ppid === 0 ? null : ppid, status: u32(dataAt + 8), atMs };
    }
    default:
      return undefined;
  }
}

/** The kernel counts its messages for each processor, so that it can be told how many are missing. */
function sequences() {
  const next = new Map<number, number>();
  return (cpu: number, sequence: number): number => {
    const expected = next.get(cpu);
    next.set(cpu, (sequence + 1) >>> 0);
    const gap = expected === undefined ? 0 : (sequence - expected) >>> 0;
    return gap > 0x7fff_ffff ? 0 : gap; // it came before its turn
  };
}

function refuseElsewhere(): void {
  // Only the first PID namespace is told. In others the kernel takes the request in, and stays silent.
  if (readNamespace('self', 'pid') === firstPidNamespace) return;
  throw new FaultlineError('HOST_UNSUPPORTED', 'the process connector tells the first PID namespace alone');
}

function openConnector(): number {
  try {
    return openNetlink(NETLINK_CONNECTOR, CN_IDX_PROC);
  } catch (error) {
    if (!isErrno(error, 'EPROTONOSUPPORT')) throw error;
    throw new FaultlineError('HOST_UNSUPPORTED', 'this kernel has no process connector (CONFIG_PROC_EVENTS)', {
      cause: error,
    });
  }
}

/**
 * Hear of processes. Needs the first PID namespace, CONFIG_PROC_EVENTS, and before Linux 6.6 CAP_NET_ADMIN.
 *
 * @throws {FaultlineError} HOST_UNSUPPORTED: the kernel has none, or this is another PID namespace
 * @throws {SyscallError} EPERM
 */
export function openProcConnector(): ProcConnector {
  refuseElsewhere();
  const fd = openConnector();
  const buffer = Buffer.alloc(messageBytes);
  const missing = sequences();
  let lost = 0;

  function take(bytes: number): ProcEvent | undefined {
    if (bytes < dataAt + 8 || buffer.readUInt32LE(netlinkBytes) !== CN_IDX_PROC) return undefined;
    // What answers a request has a sequence number of its own.
    if (buffer.readUInt32LE(eventAt) === 0) return undefined;
    lost += missing(buffer.readUInt32LE(eventAt + 4), buffer.readUInt32LE(netlinkBytes + 8));
    return parse(buffer.subarray(0, bytes));
  }
  function read(): readonly ProcEvent[] {
    const events: ProcEvent[] = [];
    for (;;) {
      const bytes = receiveMessage(fd, buffer);
      if (bytes === 'none') return events;
      // How many were lost shows when the next one comes.
      const event = bytes === 'overrun' ? undefined : take(bytes);
      if (event !== undefined) events.push(event);
    }
  }
  try {
    growReceiveBuffer(fd, receiveBytes);
    sendMessage(fd, listenMessage());
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return Object.freeze<ProcConnector>({
    read,
    dropped: () => lost,
    close: () => {
      closeSync(fd);
    },
  });
}
