import { readFileSync } from 'node:fs';

/** A setting of the kernel that decides what happens when memory runs out, and what its value means. */
export interface OomSetting {
  /** `vm.panic_on_oom` */
  readonly name: string;
  /** null: this kernel does not have it, or hides it. */
  readonly value: string | null;
  readonly means: string;
}

type Meanings = (value: string) => string;

const otherwise = 'a value that is not known here';

const flag =
  (off: string, on: string): Meanings =>
  (value) =>
    value === '0' ? off : on;

/** Documentation/admin-guide/sysctl/vm.rst */
const settings: readonly (readonly [name: string, meanings: Meanings])[] = [
  [
    'vm.panic_on_oom',
    (value) =>
      ({
        0: 'a process is killed, and the host lives on',
        1: 'the host panics when all memory runs out; where only a cgroup or a cpuset does, a process is killed',
        2: 'the host panics even where only a cgroup or a cpuset runs out',
      })[value] ?? otherwise,
  ],
  [
    'vm.oom_kill_allocating_task',
    flag(
      'all processes are looked at, and the one with the highest badness is killed',
      'whoever asks for memory is killed, without a look at the others; this ranking then tells nothing',
    ),
  ],
  [
    'vm.oom_dump_tasks',
    flag(
      'a kill does not list the candidates in the kernel log: why will not know who else there was',
      'a kill lists all candidates in the kernel log, with their memory',
    ),
  ],
  [
    'vm.overcommit_memory',
    (value) =>
      ({
        0: 'more may be promised than there is, unless it is plainly too much: the OOM killer settles it',
        1: 'everything is promised: the OOM killer settles it',
        2: 'only what there is is promised: malloc fails first, and the OOM killer is rare',
      })[value] ?? otherwise,
  ],
];

function readSysctl(name: string): string | null {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'latin1').trim();
  } catch {
    return null;
  }
}

/** The settings of this host, with what they mean. */
export function readOomSettings(): readonly OomSetting[] {
  return settings.map(([name, meanings]) => {
    const value = readSysctl(name);
    return Object.freeze({ name, value, means: value === null ? 'cannot be read here' : meanings(value) });
  });
}
