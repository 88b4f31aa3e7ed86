/*
 * Reports of the OOM killer as kernels of many versions print them, made from the formats of mm/oom_kill.c,
 * mm/memcontrol.c and mm/show_mem.c at those versions, in the wrappings in which logs are kept.
 */

export interface SampleTask {
  readonly pid: number;
  readonly name: string;
  readonly uid: number;
  /** In pages. */
  readonly rss: number;
  readonly swap: number;
  /** In pages. */
  readonly tables: number;
  readonly adj: number;
}

export const kernels = [
  '4.0',
  '4.4',
  '4.9',
  '4.15',
  '4.19',
  '5.0',
  '5.3',
  '5.4',
  '5.15',
  '6.1',
  '6.8',
  '6.18',
] as const;
export type Kernel = (typeof kernels)[number];

export const ways = ['global', 'cgroup', 'cpuset', 'mempolicy', 'allocating-task', 'sysrq', 'group', 'panic'] as const;
export type Way = (typeof ways)[number];

export interface Sample {
  readonly name: string;
  readonly kernel: Kernel;
  readonly way: Way;
  readonly lines: readonly string[];
  /** Who was killed, the first first. */
  readonly victims: readonly SampleTask[];
}

const at = (kernel: Kernel, since: Kernel): boolean => kernels.indexOf(kernel) >= kernels.indexOf(since);

const limitKib = 65_536;
const left = (value: number, width: number): string => String(value).padStart(width);

function invoked(kernel: Kernel, way: Way, trigger: SampleTask): string {
  const order = way === 'sysrq' ? -1 : 0;
  const rest = `order=${order}, oom_score_adj=${trigger.adj}`;
  if (!at(kernel, '4.9')) return `${trigger.name} invoked oom-killer: gfp_mask=0x24280ca, ${rest}`;
  const gfp = 'gfp_mask=0x14200ca(GFP_HIGHUSER_MOVABLE)';
  const nodemask = at(kernel, '5.0') ? '' : 'nodemask=(null),  ';
  return `${trigger.name} invoked oom-killer: ${gfp}, ${nodemask}${rest}`;
}

function memory(kernel: Kernel, way: Way, victim: SampleTask): readonly string[] {
  if (way !== 'cgroup' && way !== 'group') {
    return ['Mem-Info:', 'Free swap  = 0kB', 'Total swap = 0kB', '262014 pages RAM', '9319 pages reserved'];
  }
  const task = at(kernel, '5.0') ? [] : [`Task in /box/${victim.name} killed as a result of limit of /box`];
  return [
    ...task,
    `memory: usage ${limitKib}kB, limit ${limitKib}kB, failcnt 102`,
    'memory+swap: usage 65536kB, limit 9007199254740988kB, failcnt 0',
    'Memory cgroup stats for /box: cache:0KB rss:65000KB',
  ];
}

function header(kernel: Kernel): readonly string[] {
  const pid = at(kernel, '4.19') ? '[  pid  ]' : '[ pid ]';
  const columns = at(kernel, '6.8')
    ? 'rss_anon rss_file rss_shmem pgtables_bytes swapents'
    : at(kernel, '4.15')
      ? 'pgtables_bytes swapents'
      : at(kernel, '4.4')
        ? 'nr_ptes nr_pmds swapents'
        : 'nr_ptes swapents';
  const title = at(kernel, '4.19') ? ['Tasks state (memory values in pages):'] : [];
  return [...title, `${pid}   uid  tgid total_vm      rss ${columns} oom_score_adj name`];
}

function row(kernel: Kernel, { pid, name, uid, rss, swap, tables, adj }: SampleTask): string {
  const parts = at(kernel, '6.8') ? `${left(rss - 3, 8)} ${left(2, 8)} ${left(1, 9)} ` : '';
  const pages = at(kernel, '4.15')
    ? left(tables * 4096, 8)
    : at(kernel, '4.4')
      ? `${left(tables - 3, 7)} ${left(3, 7)}`
      : left(tables, 7);
  const width = at(kernel, '4.19') ? 7 : 5;
  const own = `[${left(pid, width)}] ${left(uid, 5)} ${left(pid, 5)} ${left(rss * 2, 8)} ${left(rss, 8)} `;
  return `${own}${parts}${pages} ${left(swap, 8)}         ${left(adj, 5)} ${name}`;
}

const constraints: Readonly<Record<Way, string>> = {
  global: 'NONE',
  'allocating-task': 'NONE',
  sysrq: 'NONE',
  panic: 'NONE',
  cgroup: 'MEMCG',
  group: 'MEMCG',
  cpuset: 'CPUSET',
  mempolicy: 'MEMORY_POLICY',
};

function constraint(way: Way, { name, pid, uid }: SampleTask): string {
  const ofCgroup = way === 'cgroup' || way === 'group';
  const memcg = ofCgroup ? `oom_memcg=/box,task_memcg=/box/${name}` : `global_oom,task_memcg=/user.slice/${name}`;
  return (
    `oom-kill:constraint=CONSTRAINT_${constraints[way]},nodemask=(null),cpuset=/,mems_allowed=0,${memcg},` +
    `task=${name},pid=${left(pid, 5)},uid=${left(uid, 5)}`
  );
}

function killed(kernel: Kernel, way: Way, { pid, name, uid, rss, tables, adj }: SampleTask): readonly string[] {
  const ofCgroup = way === 'cgroup' || way === 'group';
  const memcg = ofCgroup ? 'Memory cgroup out of memory' : 'Out of memory';
  const message = way === 'allocating-task' ? `${memcg} (oom_kill_allocating_task)` : memcg;
  const sizes = `total-vm:${rss * 8}kB, anon-rss:${(rss - 3) * 4}kB, file-rss:8kB`;
  const shmem = at(kernel, '4.9') ? ', shmem-rss:4kB' : '';
  if (!at(kernel, '5.3')) {
    return [
      `${message}: Kill process ${pid} (${name}) score 758 or sacrifice child`,
      `Killed process ${pid} (${name}) ${sizes}${shmem}`,
    ];
  }
  const pgtables = kernel === '5.4' ? tables * 4096 : tables * 4;
  const rest = at(kernel, '5.4') ? `, UID:${uid} pgtables:${pgtables}kB oom_score_adj:${adj}` : '';
  return [`${message}: Killed process ${pid} (${name}) ${sizes}${shmem}${rest}`];
}

function reaped({ pid, name }: SampleTask): string {
  return `oom_reaper: reaped process ${pid} (${name}), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB`;
}

/** One report. The first task is the victim, the last one asked for memory. */
export function sampleOf(kernel: Kernel, way: Way, tasks: readonly SampleTask[]): Sample {
  const [first] = tasks;
  const trigger = tasks.at(-1);
  if (first === undefined || trigger === undefined) throw new Error('a report has tasks');
  const victims = way === 'panic' ? [] : way === 'group' ? tasks : [first];
  // Who dies with the first one was not chosen, and before 5.3 there is no line that says so.
  const others = victims.slice(1).flatMap((one) => killed(kernel, way, one).slice(-1));
  const release = `${kernel}.0-21-generic`;
  const lines = [
    invoked(kernel, way, trigger),
    `CPU: 0 PID: ${trigger.pid} Comm: ${trigger.name} Not tainted ${release} #22-Ubuntu`,
    'Call Trace:',
    ' dump_header+0x4f/0x1eb',
    ' oom_kill_process.cold+0xb/0x10',
    ...memory(kernel, way, first),
    ...header(kernel),
    ...tasks.toSorted((a, b) => a.pid - b.pid).map((one) => row(kernel, one)),
    ...(way === 'panic' || !at(kernel, '5.0') ? [] : [constraint(way, first)]),
    ...(way === 'panic'
      ? ['Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled']
      : killed(kernel, way, first)),
    ...(way === 'group' ? ['Tasks in /box are going to be killed due to memory.oom.group set', ...others] : []),
    ...(at(kernel, '4.9') && way !== 'panic' ? [reaped(first)] : []),
  ];
  return { name: `${kernel} ${way}`, kernel, way, lines, victims };
}

/** How a log is kept: what stands before each line of it. */
export const wrappings: Readonly<Record<string, (line: string, index: number) => string>> = {
  plain: (line) => line,
  dmesg: (line, index) => `[${(14_658 + index / 1e6).toFixed(6).padStart(12)}] ${line}`,
  'dmesg -T': (line) => `[Tue Nov 21 21:30:00 2023] ${line}`,
  'dmesg -x': (line, index) => `kern  :warn  : [${(99 + index / 1e6).toFixed(6).padStart(12)}] ${line}`,
  'dmesg -r': (line, index) => `<4>[${(99 + index / 1e6).toFixed(6).padStart(12)}] ${line}`,
  'dmesg iso': (line) => `2023-11-21T21:30:00,123456+01:00 ${line}`,
  caller: (line, index) => `[${(99 + index / 1e6).toFixed(6).padStart(12)}][ T1234] ${line}`,
  journal: (line) => `Nov 21 21:30:00 web-1 kernel: ${line}`,
  'journal iso': (line) => `2023-11-21T21:30:00+0100 web-1 kernel: ${line}`,
  'journal monotonic': (line, index) => `[${(99 + index / 1e6).toFixed(6).padStart(12)}] web-1 kernel: ${line}`,
  'journal json': (line) =>
    JSON.stringify({ _TRANSPORT: 'kernel', SYSLOG_IDENTIFIER: 'kernel', _HOSTNAME: 'web-1', MESSAGE: line }),
  kmsg: (line, index) => `4,${1000 + index},${99_000_000 + index},-;${line}`,
  syslog: (line, index) => `Nov  1 01:02:03 web-1 kernel: [${(99 + index / 1e6).toFixed(6)}] ${line}`,
  rsyslog: (line) => `2023-11-21T21:30:00.123456+01:00 web-1 kernel: ${line}`,
  'RFC 5424': (line) => `<4>1 2023-11-21T21:30:00.123Z web-1 kernel - - - ${line}`,
};

export const sampleTasks: readonly SampleTask[] = [
  { pid: 5451, name: 'mystery001', uid: 1000, rss: 12_000, swap: 0, tables: 40, adj: 0 },
  { pid: 871, name: 'systemd-journal', uid: 0, rss: 1612, swap: 4, tables: 23, adj: -250 },
  { pid: 1905, name: 'dbus-daemon', uid: 81, rss: 911, swap: 0, tables: 23, adj: -900 },
  { pid: 2421, name: 'sshd', uid: 0, rss: 953, swap: 0, tables: 12, adj: -1000 },
  { pid: 30_187, name: 'Web Content', uid: 1000, rss: 2400, swap: 0, tables: 50, adj: 0 },
];

/** Every way on every kernel that has it. */
export function allSamples(tasks: readonly SampleTask[] = sampleTasks): readonly Sample[] {
  return kernels.flatMap((kernel) =>
    ways.filter((way) => way !== 'group' || at(kernel, '4.19')).map((way) => sampleOf(kernel, way, tasks)),
  );
}
