import { type DefaultAction, defaultAction, signalName } from '../../linux/signals.ts';

/** What is usual about a signal: who sends it, and where to look next. */
export interface SignalFacts {
  readonly number: number;
  readonly name: string;
  /** signal(7) */
  readonly action: DefaultAction;
  /** `terminated`, with the words of strsignal(3). */
  readonly means: string;
  /** By the kernel because of what the program itself did, or by another process, or by either. */
  readonly origin: 'itself' | 'others' | 'either';
  /** The usual senders, the most usual first. */
  readonly senders: readonly string[];
  readonly next: readonly string[];
}

type Row = readonly [
  means: string,
  origin: SignalFacts['origin'],
  senders: readonly string[],
  next?: readonly string[],
];

const core = 'look at the core dump: coredumpctl info, or gdb PROGRAM core; bt shows where it was';
const sender = 'see who sends it next time: faultline watch, or auditctl -a always,exit -S kill';
const service = 'journalctl -u SERVICE: did systemd or a person stop it just then?';

/** signal(7), sigaction(2) and the man pages of the usual senders. */
const rows: Readonly<Record<number, Row>> = {
  1: [
    'hangup',
    'others',
    ['the kernel, when its terminal or SSH connection closed', 'kill -HUP, meant as reload'],
    ['was it started from a terminal? nohup, setsid or systemd-run keep it from that', sender],
  ],
  2: ['interrupt', 'others', ['Ctrl-C on its terminal', 'kill -INT; some supervisors stop with it'], [sender]],
  3: [
    'quit',
    'others',
    [
      String.raw`Ctrl-\ on its terminal`,
      'kill -QUIT; nginx and php-fpm stop gracefully by it',
      'a supervisor that wants a core dump',
    ],
    [core, sender],
  ],
  4: [
    'illegal instruction',
    'itself',
    ['the CPU, at an instruction that it does not have', 'the program, by abort or __builtin_trap'],
    [
      'built for a newer CPU than this one (AVX)? lscpu, and the flags that it was built with',
      core,
      'dmesg: a "traps:" line names the address',
    ],
  ],
  5: [
    'trace or breakpoint trap',
    'itself',
    ['a breakpoint without a debugger', 'an assertion of Chromium, Go or Swift'],
    [core],
  ],
  6: [
    'abort',
    'itself',
    [
      'the program itself: a failed assertion, an uncaught C++ exception, a damaged heap',
      'systemd, when WatchdogSec= ran out',
    ],
    ['the last lines that it wrote to stderr say why', core, service],
  ],
  7: [
    'bus error',
    'itself',
    ['the CPU, at memory that has no page behind it: a mapped file that was cut short, a full /dev/shm'],
    ['df /dev/shm, and was a mapped file truncated?', core, 'dmesg: memory or disk errors'],
  ],
  8: [
    'floating point exception',
    'itself',
    ['the CPU, at an integer division by zero (floating point does not raise it)'],
    [core, 'dmesg: "traps: NAME[PID] trap divide error" proves it'],
  ],
  9: [
    'killed',
    'others',
    [
      'a person, script or supervisor: kill -9, docker kill, the end of a stop timeout',
      'systemd-oomd when memory ran low, a cgroup.kill, RLIMIT_CPU',
    ],
    ['dmesg -T | grep -i -E "out of memory|oom": named there, it was the OOM killer', sender, service],
  ],
  10: ['user signal 1', 'others', ['a person or script, to a program that does not handle it'], [sender]],
  11: [
    'segmentation fault',
    'itself',
    ['the CPU, at an address that the program may not use: a bad pointer, a stack that overflowed'],
    [core, 'dmesg: the "segfault at" line tells the address, and in which library'],
  ],
  12: ['user signal 2', 'others', ['a person or script, to a program that does not handle it'], [sender]],
  13: [
    'broken pipe',
    'either',
    ['the kernel: it wrote to a pipe or socket whose reader is gone'],
    ['what read its output? that ended first'],
  ],
  14: ['alarm clock', 'itself', ['its own alarm(2) or setitimer(2)'], ['a time limit within the program ran out']],
  15: [
    'terminated',
    'others',
    [
      'a person or script: kill and pkill send it by default',
      'a supervisor: systemctl stop, docker stop, Kubernetes ending a pod',
      'a shutdown, or earlyoom when memory ran low',
    ],
    [service, sender, 'docker events or kubectl describe pod, if it is a container'],
  ],
  16: ['stack fault', 'others', ['nobody usually: Linux never sends it'], [sender]],
  24: [
    'CPU time limit exceeded',
    'itself',
    ['the kernel: RLIMIT_CPU (ulimit -t, LimitCPU=)'],
    ['/proc/PID/limits of one that runs'],
  ],
  25: [
    'file size limit exceeded',
    'itself',
    ['the kernel: RLIMIT_FSIZE (ulimit -f, LimitFSIZE=)'],
    ['/proc/PID/limits of one that runs'],
  ],
  26: ['virtual timer expired', 'itself', ['its own setitimer(2)']],
  27: ['profiling timer expired', 'itself', ['its own setitimer(2), by a profiler']],
  29: ['I/O possible', 'itself', ['the kernel, for a file set to O_ASYNC']],
  30: ['power failure', 'others', ['a power daemon'], [sender]],
  31: [
    'bad system call',
    'itself',
    ['a seccomp filter: Docker, systemd (SystemCallFilter=), Chromium, snap'],
    ['audit log: type=SECCOMP tells the system call', core],
  ],
};

const realtime: Row = ['real-time signal', 'others', ['a program that uses it for its own purposes'], [sender]];
const harmless: Row = ['does not end a process', 'either', []];

/** What is usual about a signal; undefined for a number that is no signal. */
export function signalFacts(number: number): SignalFacts | undefined {
  const name = signalName(number);
  if (name === undefined) return undefined;
  const action = defaultAction(number);
  const ends = action === 'terminate' || action === 'core';
  const [means, origin, senders, next = []] = ends ? (rows[number] ?? realtime) : harmless;
  return Object.freeze({ number, name, action, means, origin, senders, next });
}
