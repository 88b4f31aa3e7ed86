/*
 * The records that the programs of `programs.ts` write: offsets in bytes, numbers little-endian. What they are is said
 * in `event.ts`; times are nanoseconds of CLOCK_MONOTONIC, memory is in pages.
 */

export const RecordType = { death: 1, exec: 2, cgroup: 3 } as const;

/** TASK_COMM_LEN of include/linux/sched.h */
export const commBytes = 16;

/**
 * Its numbers in the PID namespaces that it is in, the innermost first and the host's left out; zeros after the last.
 * Each is the namespace's inode number and its own number there.
 */
export const namespacesAt = 80;
export const NamespaceField = { namespace: 0, pid: 4 } as const;
export const namespaceBytes = 8;
/** How many are told: containers in containers have two. */
export const mostNamespaces = 4;

/** How much of the arguments is kept, in bytes. */
export const argBytes = 255;

/** What every process is told of. */
export const ProcessField = {
  type: 0,
  status: 4,
  now: 8,
  startTime: 16,
  startBootTime: 24,
  tgid: 32,
  ppid: 40,
  uid: 44,
  cgroup: 48,
  comm: 56,
  nsLevel: 72,
  argLength: 76,
} as const;

/** A signal, within a record of a death and as a value of the map of senders. */
export const signalAt = namespacesAt + mostNamespaces * namespaceBytes;
export const SignalField = {
  signal: 0,
  code: 4,
  time: 8,
  targetStart: 16,
  tgid: 24,
  uid: 28,
  cgroup: 32,
  comm: 40,
} as const;
export const signalBytes = 56;

/** What the OOM killer marked, within a record of a death and as a value of the map of victims. */
export const oomAt = signalAt + signalBytes;
export const OomField = { time: 0, totalVm: 8, anon: 16, file: 24, shmem: 32, scoreAdj: 40, hasSizes: 44 } as const;
export const oomBytes = 48;

/** Where the arguments begin. */
export const argsAt = { death: oomAt + oomBytes, exec: signalAt } as const;

const whole = (at: number): number => (at + argBytes + 7) & ~7;
export const recordBytes = { death: whole(argsAt.death), exec: whole(argsAt.exec), cgroup: 152 } as const;

/** A cgroup, told before the first record that has its number. */
export const CgroupField = { id: 8, parent: 16, name: 24 } as const;
export const cgroupNameBytes = 128;
