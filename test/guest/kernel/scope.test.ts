import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { FaultlineError } from '../../../src/base/error.ts';
import type { JsonObject } from '../../../src/base/json.ts';
import { plannedDesign } from '../../../src/faults/kernel/plan.ts';
import { eventually } from '../../support/eventually.ts';
import { fail, planOf } from '../../support/kernel-failure.ts';
import { cgroup, moveTo, victim } from '../../support/kernel-victim.ts';
import { tempFolder } from '../../support/cli.ts';

const bananas = 'd_alloc_parallel(struct dentry *parent, const struct qstr *name)(STRNCMP(name->name, "bananas", 8))';
const chain = { failtype: 'slab', frame: [bananas] };

async function refusal(input: JsonObject): Promise<string> {
  try {
    await planOf(input);
  } catch (error) {
    if (error instanceof FaultlineError) return `${error.code} ${error.message}; ${error.hint ?? ''}`;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('who is hit', () => {
  it('a cgroup and those below it, now and later, and no other', async () => {
    const [target, below, other] = ['/fl-a', '/fl-a/below', '/fl-b'].map(cgroup) as [string, string, string];
    const [first, second, third] = await Promise.all([victim(target), victim(below), victim(other)]);
    const stat = `stat("${tempFolder()}/bananas")`;
    const { hits } = await fail({ ...chain, cgroup: '/fl-a' });
    const all = async (): Promise<readonly unknown[]> => [
      await first.ask(stat),
      await second.ask(stat),
      await third.ask(stat),
    ];
    expect(await all()).toEqual(['ENOMEM', 'ENOMEM', 'ENOENT']);
    expect(await first.ask(`child(stat, "${tempFolder()}/bananas")`)).toBe('ENOMEM');
    moveTo(below, third);
    moveTo(other, first);
    expect(await all()).toEqual(['ENOENT', 'ENOMEM', 'ENOMEM']);
    expect(new Set(hits().map(({ pid }) => pid)).size).toBe(4);
  });

  it('processes, and their children only where that is asked for', async () => {
    const [one, other] = await Promise.all([victim(), victim()]);
    const file = `${tempFolder()}/bananas`;
    const [own, childs] = [`stat("${file}")`, `child(stat, "${file}")`];
    const alone = await fail({ ...chain, process: String(one.pid) });
    expect([await one.ask(own), await one.ask(childs), await other.ask(own)]).toEqual(['ENOMEM', 'ENOENT', 'ENOENT']);
    alone.end();
    await fail({ ...chain, process: String(one.pid), children: true });
    expect([await one.ask(own), await one.ask(childs), await other.ask(own)]).toEqual(['ENOMEM', 'ENOMEM', 'ENOENT']);
  });

  it('children that were started after the plan and before the programs, and theirs', async () => {
    const one = await victim();
    const file = `${tempFolder()}/bananas`;
    // A shell that waits for a word, and then has a child look for the file.
    const shell = `subprocess.Popen(["sh", "-c", "read word; sh -c 'stat ${file}; true'"], stdin=-1, stderr=-1)`;
    const { injected } = await fail({ ...chain, process: String(one.pid), children: true }, () =>
      one.ask(`globals().update(late=${shell})`),
    );
    expect(await one.ask('late.communicate(b"go\\n")[1].decode()')).toContain('Cannot allocate memory');
    expect(injected()).toBe(1);
  });

  it('a thread, and not an interrupt that comes upon it: that works for others', async () => {
    const one = await victim(cgroup('/fl-interrupt'));
    // The answer to a ping of ourselves is made in a softirq, while the thread that sends it is running.
    for (const frame of [['icmp_echo'], ['raw_sendmsg', 'icmp_echo']]) {
      const { injected, end } = await fail({ failtype: 'slab', frame, cgroup: '/fl-interrupt' });
      expect([frame, await one.ask('ping(60)'), injected()]).toEqual([frame, 'answered', 0]);
      end();
    }
    const { injected } = await fail({ failtype: 'slab', frame: ['icmp_echo'], systemWide: true });
    expect(await one.ask('ping(3)')).toBe('unanswered');
    await eventually('an answer has failed', () => injected() > 0);
  });

  it('the whole host where a frame narrows it down, but not init', async () => {
    const one = await victim();
    const file = `${tempFolder()}/bananas`;
    await fail({ ...chain, systemWide: true });
    expect(await one.ask(`stat("${file}")`)).toBe('ENOMEM');
    // By the name alone a program is not Faultline: all of its threads would have to bear it.
    expect(await one.ask('open("/proc/self/comm", "w").write("faultline-x")')).toBe(11);
    expect(await one.ask(`stat("${file}")`)).toBe('ENOENT');
  });
});

describe('who is refused', () => {
  it.each<[JsonObject, RegExp]>([
    [{ failtype: 0, systemWide: true }, /^ARGUMENT_INVALID this would fail the whole host.*--yes-system-wide/u],
    [{ failtype: 0, cgroup: '/' }, /^GUARD_PROTECTED init is in /u],
    [{ failtype: 0, cgroup: '/command' }, /^GUARD_PROTECTED this very command runs in /u],
    [{ failtype: 0, cgroup: '/there-is-none' }, /^CGROUP_NOT_FOUND/u],
  ])('%o', async (input, expected) => {
    expect(await refusal(input)).toMatch(expected);
  });

  it('init: the guard refuses what the plan leaves out', async () => {
    expect((await planOf({ failtype: 0, process: '1' })).leftOut).toMatchObject([{ named: true, rule: 'pid-1' }]);
  });

  it('Faultline itself: nothing of it may be in the cgroup', async () => {
    const one = await victim(cgroup('/fl-own'));
    await one.ask('open("/proc/self/comm", "w").write("faultline-probe")');
    expect(await refusal({ failtype: 0, cgroup: '/fl-own' })).toMatch(
      /^GUARD_PROTECTED Faultline \(pid \d+\) runs in /u,
    );
  });
});

describe('what is told of a plan', () => {
  it('that headers are not needed, that the whole host is hit, and which way is taken', async () => {
    const { notes } = await planOf({ failtype: 0, headers: ['linux/mmzone.h'], systemWide: true, yesSystemWide: true });
    expect(notes).toEqual([
      expect.stringContaining('slab'),
      expect.stringContaining('BPF_KPROBE_OVERRIDE'),
      expect.stringContaining('headers are not needed'),
      expect.stringContaining('the whole host is hit'),
    ]);
  });
});

describe('what cannot be probed', () => {
  const plan = async (frame: string): Promise<string> => {
    cgroup('/fl-plan');
    try {
      await fail({ failtype: 0, frame: [frame], cgroup: '/fl-plan' });
    } catch (error) {
      if (error instanceof FaultlineError) return `${error.code} ${error.message}; ${error.hint ?? ''}`;
      throw error;
    }
    throw new Error('it was accepted');
  };

  it.each([
    ['d_alloc_paralel', /^ARGUMENT_INVALID the kernel has no function d_alloc_paralel.*d_alloc_parallel/su],
    ['mount', /^ARGUMENT_INVALID the kernel has no function mount.*there is: __x64_sys_mount, /su],
    ['do_new_mount', /^ARGUMENT_INVALID the kernel has no function do_new_mount, or it was inlined/u],
    ['d_alloc_parallel(struct dentry *parent, const struct qstr *name)(name->nam == 3)', /has no member nam.*name/su],
    ['d_alloc_parallel(struct dentry *parent, const struct qstr *name)(name->len ==)', /^ARGUMENT_INVALID/u],
  ])('%s', async (frame, expected) => {
    expect(await plan(frame)).toMatch(expected);
  });

  it('memory that must be given, by whatever name it is asked for', async () => {
    cgroup('/fl-plan');
    const flagsOf = async (name: string): Promise<unknown> =>
      plannedDesign(await planOf({ function: name, cgroup: '/fl-plan' }))?.design?.fail.gfpParameter;
    expect(await flagsOf('should_failslab')).toBe(1);
    expect(await flagsOf('should_fail_alloc_page')).toBe(0);
    expect(await flagsOf('__filemap_add_folio')).toBe(3);
    expect(await flagsOf('__x64_sys_mount')).toBeNull();
  });

  it('a function of which nobody tells how it fails: a pointer that is none would end the kernel', async () => {
    cgroup('/fl-plan');
    const list = '/sys/kernel/debug/error_injection';
    execFileSync('mount', ['-t', 'tmpfs', 'none', list]);
    try {
      await expect(planOf({ function: '__x64_sys_mount', cgroup: '/fl-plan' })).rejects.toMatchObject({
        code: 'HOST_UNSUPPORTED',
        hint: expect.stringContaining('mount debugfs'),
      });
    } finally {
      execFileSync('umount', [list]);
    }
  });

  it('a function that nobody expects to fail', async () => {
    cgroup('/fl-plan');
    await expect(planOf({ function: 'vfs_read', errno: 'EIO', cgroup: '/fl-plan' })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      message: expect.stringContaining('must not be failed'),
    });
  });
});
