import { mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type FaultlineError, isFaultlineError } from '../../../src/base/error.ts';
import { readMounts } from '../../../src/linux/mount-table.ts';
import { readComm } from '../../../src/linux/procfs/comm.ts';
import { isErrno } from '../../../src/linux/syscall-error.ts';
import { parseCriteria } from '../../../src/targets/criteria.ts';
import { currentState } from '../../../src/targets/identity.ts';
import { type Protection, protectedProcess } from '../../../src/targets/protected.ts';
import type { CriteriaInput } from '../../../src/targets/schema.ts';
import { type Selection, selectProcesses } from '../../../src/targets/select.ts';
import {
  canChoosePids,
  end,
  endAndBeReaped,
  family,
  hasPython,
  nextPidFrom,
  program,
  sleeper,
  start,
  startZombie,
  type TestProcess,
  until,
} from './processes.ts';

const root = process.geteuid?.() === 0;

interface Policy {
  readonly names?: readonly string[];
  readonly allowListed?: boolean;
}

function select(input: CriteriaInput, { names = [], allowListed = false }: Policy = {}): Selection {
  return selectProcesses(parseCriteria(input), { protection: protectedProcess({ names, allowListed }) });
}

const pidsOf = (processes: readonly { readonly identity: { readonly pid: number } }[]) =>
  processes.map(({ identity }) => identity.pid);
const chosenBy = (input: CriteriaInput) => pidsOf(select(input).chosen);
const byPid = (processes: readonly TestProcess[]) => processes.map(({ pid }) => pid).sort((a, b) => a - b);
const rulesOf = ({ leftOut }: Selection) => leftOut.map(({ rule }) => rule);

function refusalOf(input: CriteriaInput): FaultlineError {
  try {
    select(input);
  } catch (error) {
    if (isFaultlineError(error)) return error;
    throw error;
  }
  throw new Error('somebody was found');
}

/** A name that no other process on this host has, nor another run of these tests. */
const unique = (name: string) => `${name}${process.pid % 10_000}`;

function several(name: string, size: number): Promise<TestProcess[]> {
  return Promise.all(Array.from({ length: size }, () => sleeper(name)));
}

describe('by name', () => {
  it('finds all processes of that name and nobody else', async () => {
    const name = unique('flt-a');
    const wanted = await several(name, 3);
    await sleeper(`${name}x`);
    await sleeper(name.toUpperCase());
    const { chosen, matched, leftOut } = select({ process: name });
    expect(pidsOf(chosen)).toEqual(byPid(wanted));
    expect(pidsOf(matched)).toEqual(byPid(wanted));
    expect(leftOut).toEqual([]);
  });

  it('tells all about them, as plain data', async () => {
    const name = unique('flt-b');
    const [one] = await several(name, 1);
    const selection = select({ process: name });
    expect(selection.chosen).toEqual([
      {
        identity: expect.objectContaining({ pid: one?.pid }),
        comm: name,
        ppid: process.pid,
        uid: process.geteuid?.(),
        argv: [program(name), '3600'],
        state: expect.stringMatching(/^[RSD]$/),
        kernelThread: false,
      },
    ]);
    expect(JSON.parse(JSON.stringify(selection))).toEqual(selection);
    const [chosen] = selection.chosen;
    expect(chosen && currentState(chosen.identity)).toBe('alive');
    expect(chosen && Object.isFrozen(chosen)).toBe(true);
  });

  it('finds a name that the kernel cuts by its whole length, and by what the kernel made of it', async () => {
    const name = unique('flt-twenty-long-');
    const wanted = await sleeper(`${name}-one`);
    const sibling = await sleeper(`${name}-two`);
    expect(readComm(wanted.pid)).toBe(readComm(sibling.pid));
    expect(chosenBy({ process: `${name}-one` })).toEqual([wanted.pid]);
    expect(chosenBy({ process: readComm(wanted.pid) ?? '' })).toEqual(byPid([wanted, sibling]));
    expect(refusalOf({ process: `${name}-six` }).code).toBe('PROCESS_NOT_FOUND');
  });

  it.each([
    '数据库',
    'naïve',
    'a🐘b',
    'with space',
    'par(en) S 1',
    'back\\slash',
    'fourteen-bytesé',
    '數據庫服務器進程',
  ])('finds the name %s', async (name) => {
    const one = await sleeper(name);
    const { chosen } = select({ process: name });
    expect(pidsOf(chosen)).toEqual([one.pid]);
    expect(chosen[0]?.comm).toBe(readComm(one.pid));
  });

  it('does not find a process by the name of its program once it has another one', async () => {
    const name = unique('flt-c');
    await sleeper('renamed', { argv0: name });
    expect(refusalOf({ process: name }).code).toBe('PROCESS_NOT_FOUND');
  });

  it('takes no zombie for a target, and says that there is one', async () => {
    const name = unique('flt-z');
    const { pid } = await startZombie(name);
    expect(refusalOf({ process: name }).hint).toContain('zombie');
    const one = await sleeper(name);
    expect(chosenBy({ process: name })).toEqual([one.pid]);
    expect(refusalOf({ process: `${pid}` }).hint).toContain('has died already');
  });
});

describe('by PID', () => {
  it('finds that process', async () => {
    const [one] = await several(unique('flt-a'), 2);
    expect(chosenBy({ process: `${one?.pid}` })).toEqual([one?.pid]);
  });

  it('goes before a name of the same digits, which counts where nobody has the PID', async () => {
    const one = await sleeper(unique('flt-a'));
    const namesake = await sleeper(`${one.pid}`);
    expect(chosenBy({ process: `${one.pid}` })).toEqual([one.pid]);
    await end(one);
    expect(chosenBy({ process: `${one.pid}` })).toEqual([namesake.pid]);
  });

  it('finds no threads, and says whose they are', () => {
    const error = refusalOf({ process: `${threadOfOurs()}` });
    expect(error).toMatchObject({
      code: 'PROCESS_NOT_FOUND',
      hint: expect.stringContaining(`a thread of process ${process.pid}`),
    });
  });

  it('says that the process exists where only the rest does not fit', async () => {
    const one = await sleeper(unique('flt-a'));
    expect(refusalOf({ process: `${one.pid}`, cmdline: 'no such thing' }).hint).toContain('other criteria');
  });
});

/** A thread of this process, and not its main one. */
function threadOfOurs(): number {
  const thread = readdirSync('/proc/self/task').find((tid) => Number(tid) !== process.pid);
  if (thread === undefined) throw new Error('this process has no second thread');
  return Number(thread);
}

describe('by command line', () => {
  it('tests the arguments joined by spaces', async () => {
    const mark = unique('flt');
    const [one] = [await start(program('flt-cmd'), ['3600', '0', '0.5']), await start(program('flt-cmd'), ['3601'])];
    expect(chosenBy({ process: 'flt-cmd', cmdline: '3600 0 0\\.5$' })).toEqual([one.pid]);
    expect(chosenBy({ cmdline: `${program('flt-cmd')} 3600 0` })).toEqual([one.pid]);
    expect(refusalOf({ cmdline: `^${mark} no such thing$` }).code).toBe('PROCESS_NOT_FOUND');
  });

  it('finds no kernel threads, which have none', () => {
    const { matched } = select({ cmdline: '.*', mode: 'one' });
    expect(matched.length).toBeGreaterThan(0);
    expect(matched.every(({ kernelThread }) => !kernelThread)).toBe(true);
  });
});

describe('by user', () => {
  it.runIf(root)('goes by the effective user', async () => {
    const name = unique('flt-u');
    const nobody = await sleeper(name, { uid: 65_534 });
    const ours = await sleeper(name);
    expect(chosenBy({ process: name, user: '65534' })).toEqual([nobody.pid]);
    expect(chosenBy({ process: name, user: 'nobody' })).toEqual([nobody.pid]);
    expect(chosenBy({ process: name, user: 'root' })).toEqual([ours.pid]);
    const error = refusalOf({ process: name, user: '12345' });
    expect(error).toMatchObject({
      message: `there is no live process named "${name}" of user "12345"`,
      hint: expect.stringContaining('2 processes have that name'),
    });
  });

  it.runIf(root && hasPython)('does not go by the real user', async () => {
    const name = unique('flt-u');
    const script = 'import os,sys; os.setresuid(65534, 0, 0); os.execv(sys.argv[1], sys.argv[1:])';
    const one = await start('python3', ['-c', script, program(name), '3600']);
    await until('it has called exec', () => readComm(one.pid) === name);
    expect(chosenBy({ process: name, user: 'root' })).toEqual([one.pid]);
    expect(refusalOf({ process: name, user: '65534' }).code).toBe('PROCESS_NOT_FOUND');
  });

  it('finds our own', async () => {
    const name = unique('flt-u');
    const one = await sleeper(name);
    expect(chosenBy({ process: name, user: `${process.geteuid?.()}` })).toEqual([one.pid]);
  });

  it('refuses a user that this host does not know', () => {
    expect(refusalOf({ user: 'no-such-user' }).code).toBe('USER_UNKNOWN');
  });
});

const cgroups: string[] = [];

/** A cgroup of our own below one of the hierarchies, if we may make one. */
function makeCgroup(name: string): string | undefined {
  const mounts = readMounts('self') ?? [];
  // The hierarchy of v2 first: of v1, cpuset takes no process before it is set up.
  const hierarchies = ['cgroup2', 'cgroup'].flatMap((type) => mounts.filter(({ fsType }) => fsType === type));
  for (const { mountPoint } of hierarchies) {
    try {
      const folder = join(mountPoint, name);
      mkdirSync(folder);
      cgroups.push(folder);
      mkdirSync(join(folder, 'child'));
      return folder;
    } catch {
      // Mounted read-only, or not ours to write.
    }
  }
  return undefined;
}

function removed(folder: string): boolean {
  try {
    rmdirSync(folder);
  } catch (error) {
    // Who has just died may be in it for a moment more; another one was never made.
    return !isErrno(error, 'EBUSY');
  }
  return true;
}

afterEach(async () => {
  for (const folder of cgroups.splice(0)) {
    for (const one of [join(folder, 'child'), folder]) await until(`${one} is gone`, () => removed(one));
  }
});

describe('by cgroup', () => {
  it.runIf(root)('finds its processes and those of its children', async ({ skip }) => {
    const group = unique('faultline-test-');
    const folder = makeCgroup(group);
    if (folder === undefined) return skip();
    const name = unique('flt-g');
    const [inside, below] = [await sleeper(name), await sleeper(name)];
    await sleeper(name);
    try {
      writeFileSync(join(folder, 'cgroup.procs'), `${inside.pid}`);
      writeFileSync(join(folder, 'child/cgroup.procs'), `${below.pid}`);
      expect(chosenBy({ cgroup: folder })).toEqual(byPid([inside, below]));
      expect(chosenBy({ cgroup: `/${group}/child`, process: name })).toEqual([below.pid]);
      expect(refusalOf({ cgroup: folder, process: unique('nobody') }).code).toBe('PROCESS_NOT_FOUND');
    } finally {
      await Promise.all([inside, below].map(end));
    }
  });

  it('refuses a cgroup that does not exist', () => {
    expect(refusalOf({ cgroup: '/no/such/cgroup' }).code).toBe('CGROUP_NOT_FOUND');
  });
});

describe('newest and oldest', () => {
  it('take one, by start time', async () => {
    const name = unique('flt-n');
    const first = await sleeper(name);
    // Two clock ticks apart: within one, only the PID tells, and PIDs wrap around.
    await delay(30);
    await sleeper(name);
    await delay(30);
    const last = await sleeper(name);
    expect(chosenBy({ process: name, newest: true })).toEqual([last.pid]);
    expect(chosenBy({ process: name, oldest: true })).toEqual([first.pid]);
    expect(chosenBy({ process: name, newest: true, exclude: [`${last.pid}`] })).not.toContain(last.pid);
    expect(select({ process: name, newest: true }).matched).toHaveLength(3);
  });

  it.runIf(canChoosePids)('go by start time also where the PIDs have wrapped around', async () => {
    const name = unique('flt-n');
    const first = await sleeper(name);
    await delay(30);
    nextPidFrom(Math.floor(first.pid / 2));
    let second = await sleeper(name);
    // Another test may choose the next PID at the same time.
    for (let tries = 1; tries < 20 && second.pid > first.pid; tries++) {
      await end(second);
      nextPidFrom(Math.floor(first.pid / 2));
      second = await sleeper(name);
    }
    expect(second.pid).toBeLessThan(first.pid);
    expect(chosenBy({ process: name, newest: true })).toEqual([second.pid]);
    expect(chosenBy({ process: name, oldest: true })).toEqual([first.pid]);
  });
});

describe('exclude', () => {
  it('takes out names and PIDs', async () => {
    const [a, b, c] = [await sleeper('flt-e1'), await sleeper('flt-e2'), await sleeper('flt-e3')];
    const cmdline = `${program('flt-e')}[123] `;
    expect(chosenBy({ cmdline })).toEqual(byPid([a, b, c]));
    expect(chosenBy({ cmdline, exclude: ['flt-e1', `${b.pid}`] })).toEqual([c.pid]);
    expect(select({ cmdline, exclude: ['flt-e1'] }).matched).toHaveLength(2);
    expect(refusalOf({ cmdline, exclude: ['flt-e1', 'flt-e2', `${c.pid}`] })).toMatchObject({
      code: 'PROCESS_NOT_FOUND',
      message: expect.stringContaining('all 3 live processes'),
    });
    expect(refusalOf({ process: 'flt-e1', exclude: ['flt-e1'] }).message).toContain('the only live process');
  });
});

describe('modes', () => {
  it('choose as many as they say, and the same again for the same seed', async () => {
    const name = unique('flt-m');
    const all = byPid(await several(name, 10));
    const one = select({ process: name, mode: 'one' });
    expect(one.chosen).toHaveLength(1);
    expect(one.matched).toHaveLength(10);
    expect(pidsOf(select({ process: name, mode: 'one', seed: one.seed }).chosen)).toEqual(pidsOf(one.chosen));
    expect(chosenBy({ process: name, mode: 'fixed', value: 4 })).toHaveLength(4);
    expect(chosenBy({ process: name, mode: 'fixed', value: 40 })).toEqual(all);
    expect(chosenBy({ process: name, mode: 'fixed-percent', value: '11' })).toHaveLength(2);
    const seeds = Array.from({ length: 40 }, (_, index) => `seed ${index}`);
    const picks = seeds.map((seed) => chosenBy({ process: name, mode: 'one', seed })[0]);
    expect(new Set(picks).size).toBeGreaterThan(5);
    const shares = seeds.map((seed) => chosenBy({ process: name, mode: 'random-max-percent', value: 20, seed }).length);
    expect(new Set(shares)).toEqual(new Set([0, 1, 2]));
  });
});

describe('children', () => {
  const tree = '"$0" 3600 & "$1" -c \'"$0" 3600; :\' "$0" & wait';

  async function startFamily() {
    const parent = await start('/bin/sh', ['-c', tree, program('flt-leaf'), '/bin/sh']);
    return { parent, descendants: await family(parent, ['flt-leaf', 'flt-leaf', 'sh']) };
  }

  it('adds all descendants of the chosen, excluded ones apart', async () => {
    const { parent, descendants } = await startFamily();
    const top = `${parent.pid}`;
    expect(chosenBy({ process: top })).toEqual([parent.pid]);
    const selection = select({ process: top, children: true });
    expect(pidsOf(selection.chosen)).toEqual([parent.pid, ...descendants]);
    expect(pidsOf(selection.matched)).toEqual([parent.pid]);
    expect(chosenBy({ process: top, children: true, exclude: ['flt-leaf'] })).toHaveLength(2);
  });

  it('leaves protected descendants out, and reports them', async () => {
    const { parent } = await startFamily();
    const input = { process: `${parent.pid}`, children: true };
    const selection = select(input, { names: ['flt-leaf'] });
    expect(selection.chosen).toHaveLength(2);
    expect(selection.leftOut.map(({ process: { comm }, rule, named }) => [comm, rule, named])).toEqual([
      ['flt-leaf', 'policy', false],
      ['flt-leaf', 'policy', false],
    ]);
    expect(select(input, { names: ['flt-leaf'], allowListed: true }).chosen).toHaveLength(4);
  });
});

describe('protection', () => {
  it('never lets init, this process or its ancestors be chosen', () => {
    for (const [pid, rule] of [
      [1, 'pid-1'],
      [process.pid, 'self'],
      [process.ppid, process.ppid === 1 ? 'pid-1' : 'ancestor'],
    ] as const) {
      const selection = select({ process: `${pid}` }, { allowListed: true });
      expect(selection.chosen).toEqual([]);
      expect(selection.leftOut).toMatchObject([{ rule, named: true, process: { identity: { pid } } }]);
    }
  });

  it('finds kernel threads by name, and leaves them out', ({ skip }) => {
    // In a container there are none to see.
    if (readComm(2) !== 'kthreadd') return skip();
    const { chosen, leftOut } = select({ process: 'kthreadd' });
    expect(chosen).toEqual([]);
    expect(leftOut).toMatchObject([{ rule: 'kernel-thread', named: false, process: { argv: [] } }]);
  });

  it('leaves out what else a wide net catches, and hits the rest', async () => {
    const one = await sleeper(unique('flt-w'));
    const selection = select({ user: `${process.geteuid?.()}` });
    expect(pidsOf(selection.chosen)).toContain(one.pid);
    expect(rulesOf(selection)).toEqual(expect.arrayContaining(['self', 'ancestor']));
    expect(selection.leftOut.every(({ named }) => !named)).toBe(true);
    const dealtWith = new Set([
      ...pidsOf(selection.chosen),
      ...selection.leftOut.map((one) => one.process.identity.pid),
    ]);
    const rest = selection.matched.filter(({ identity }) => !dealtWith.has(identity.pid));
    expect(rest.map(({ identity }) => currentState(identity))).not.toContain('alive');
    expect(pidsOf(selection.chosen)).not.toContain(process.pid);
  });

  it('protects sshd and Faultline by name', async () => {
    const [sshd, keeper] = [await sleeper('sshd'), await sleeper('faultline-keeper')];
    expect(select({ process: `${sshd.pid}` }).leftOut).toMatchObject([
      { rule: 'sshd', named: true, override: '--allow-protected' },
    ]);
    expect(pidsOf(select({ process: `${sshd.pid}` }, { allowListed: true }).chosen)).toEqual([sshd.pid]);
    const kept = select({ process: 'faultline-keeper' }, { allowListed: true });
    expect(kept.chosen).toEqual([]);
    expect(kept.leftOut.find(({ process: { identity } }) => identity.pid === keeper.pid)).toMatchObject({
      rule: 'faultline',
      named: false,
    });
  });

  it('goes before newest and before the mode: they choose among those that may be hit', async () => {
    const name = unique('flt-p');
    const first = await sleeper(name);
    const second = await sleeper(name);
    const protection = (target: { identity: { pid: number } }) =>
      target.identity.pid === second.pid ? { rule: 'test', reason: 'a test' } : undefined;
    for (const input of [{ newest: true }, { mode: 'one' }, { mode: 'fixed-percent', value: 100 }] as const) {
      const selection = selectProcesses(parseCriteria({ process: name, ...input }), { protection });
      expect(pidsOf(selection.chosen)).toEqual([first.pid]);
      expect(rulesOf(selection)).toEqual(['test']);
      expect(selection.matched).toHaveLength(2);
    }
  });
});

describe('what vanishes while it is chosen', () => {
  /** A process and the parent that reaps it. */
  async function mortal(name: string): Promise<number> {
    const parent = await start('/bin/sh', ['-c', `${program(name)} 3600; exec ${program('flt-parent')} 3600`]);
    const [pid] = await family(parent, [name]);
    return pid ?? 0;
  }

  /** Protects nobody, and ends some of those whom it is asked about: that is after they were found. */
  const deadly = (mortals: readonly number[]) => (target: { identity: { pid: number } }) => {
    if (mortals.includes(target.identity.pid)) endAndBeReaped(target.identity.pid);
    return undefined;
  };

  it('is not there, if it was the only one', async () => {
    const name = unique('flt-gone');
    const protection = deadly([await mortal(name)]);
    expect(() => selectProcesses(parseCriteria({ process: name }), { protection })).toThrow(
      expect.objectContaining({
        code: 'PROCESS_NOT_FOUND',
        message: `there is no live process named "${name}"`,
        hint: expect.not.stringContaining('have that name'),
      }),
    );
  });

  it('is not there, if it was the only one and protected', async () => {
    const name = unique('flt-gone');
    const ends = deadly([await mortal(name)]);
    const protection: Protection = (target) => {
      ends(target);
      return { rule: 'test', reason: 'a test' };
    };
    expect(() => selectProcesses(parseCriteria({ process: name }), { protection })).toThrow('there is no live process');
  });

  it('makes room for those that are left', async () => {
    const name = unique('flt-left');
    const pid = await mortal(name);
    const { pid: left } = await sleeper(name);
    const criteria = parseCriteria({ process: name, oldest: true });
    const selection = selectProcesses(criteria, { protection: deadly([pid]) });
    expect(pidsOf(selection.chosen)).toEqual([left]);
  });

  it('is nobody else who is called by its PID', async () => {
    const pid = await mortal(unique('flt-gone'));
    await sleeper(String(pid));
    const criteria = parseCriteria({ process: String(pid) });
    expect(() => selectProcesses(criteria, { protection: deadly([pid]) })).toThrow(
      expect.objectContaining({ code: 'PROCESS_NOT_FOUND' }),
    );
  });

  it('is said to live for moments, if that goes on', async () => {
    const name = unique('flt-brief');
    await Promise.all(Array.from({ length: 10 }, () => mortal(name)));
    // Each time it is chosen anew one of them may be hit, and ends.
    const choices = new Set<object>();
    const protection: Protection = ({ identity: { pid } }, table) => {
      if (choices.has(table)) return { rule: 'test', reason: 'not this time' };
      choices.add(table);
      endAndBeReaped(pid);
      return undefined;
    };
    expect(() => selectProcesses(parseCriteria({ process: name }), { protection })).toThrow(
      'ended as soon as they were found',
    );
  });
});

describe('what is not there', () => {
  it('is said with the criteria, and with names that may have been meant', async () => {
    const name = unique('flt-hinted');
    await sleeper(name);
    expect(refusalOf({ process: `x${name}` })).toMatchObject({
      code: 'PROCESS_NOT_FOUND',
      message: `there is no live process named "x${name}"`,
      hint: `did you mean "${name}"?`,
    });
    expect(refusalOf({ process: name.toUpperCase() }).hint).toContain(`"${name}"`);
    expect(refusalOf({ process: `/usr/bin/${name}` }).hint).toContain(`"${name}"`);
    expect(refusalOf({ process: name.slice(0, -3) }).hint).toContain(`"${name}"`);
  });

  it('is found under the name that a program took, and under the whole of a name that was cut', async () => {
    const [renamed, long] = [unique('flt-ren'), unique('flt-very-long-name-')];
    await sleeper('main-thread', { argv0: renamed });
    await sleeper(long);
    expect(refusalOf({ process: renamed }).hint).toContain('"main-thread"');
    expect(refusalOf({ process: `${long}s` }).hint).toContain(`"${long}"`);
  });

  it('never puts control characters of other processes into a hint', async () => {
    const name = unique('flt-ctl');
    await sleeper(`${name}\x1b[2J`);
    const { hint } = refusalOf({ process: name });
    expect(hint).toContain(`"${name}\\x1b[2J"`);
    expect(hint).not.toContain('\x1b');
  });

  it('is a plain hint where nothing is near', () => {
    expect(refusalOf({ process: 'q-zxw-vqj' }).hint).toContain('case matters');
  });
});

describe('processes that come and go', () => {
  it('are no error', async () => {
    const name = unique('flt-gone');
    const lasting = await sleeper(name);
    const over = new AbortController();
    const churn = (async () => {
      while (!over.signal.aborted) await end(await sleeper(name));
    })();
    try {
      for (let round = 0; round < 60; round += 1) {
        const { chosen } = select({ process: name, children: round % 2 === 0 });
        expect(pidsOf(chosen)).toContain(lasting.pid);
        await delay(0);
      }
    } finally {
      over.abort();
      await churn;
    }
  });
});
