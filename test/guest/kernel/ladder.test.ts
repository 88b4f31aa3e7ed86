import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { places } from '../../../scripts/guest/order.ts';
import type { FailType } from '../../../src/faults/kernel/fail-points.ts';
import { markedTasks } from '../../../src/linux/fault-injection.ts';
import { endFailures, fail } from '../../support/kernel-failure.ts';
import { cgroup, victim } from '../../support/kernel-victim.ts';
import { tempFolder } from '../../support/cli.ts';

/*
 * Each way by itself: `--via` turns off what is better.
 */

const bananas = 'd_alloc_parallel(struct dentry *parent, const struct qstr *name)(STRNCMP(name->name, "bananas", 8))';

describe('fmod_ret', () => {
  it('follows frames, and looks at the parameters of what fails', async () => {
    const { ask } = await victim(cgroup('/fl-fmod'));
    const file = `${tempFolder()}/bananas`;
    const chain = { failtype: 'slab', cgroup: '/fl-fmod', via: 'fmod_ret', times: 3 };
    const one = await fail({ ...chain, frame: ['do_sys_openat2', bananas] });
    expect(one.way).toBe('fmod_ret');
    expect(await ask(`times(5, look, "${file}")`)).toEqual({ ENOMEM: 3, ENOENT: 2 });
    expect(one.hits()).toHaveLength(3);
    one.end();
    expect(await ask(`look("${file}")`)).toBe('ENOENT');
    const none = '(struct kmem_cache *s, gfp_t flags)(s->object_size == 1)';
    const never = await fail({ ...chain, frame: [bananas, none] });
    expect(await ask(`look("${file}")`)).toBe('ENOENT');
    expect(never.counts()).toMatchObject({ matched: 0, injected: 0 });
    expect(never.counts().seen).toBeGreaterThan(0);
  });

  it.each([
    [1, '__x64_sys_pwrite64', (folder: string) => `pwrite("${folder}/page", 4096)`, 'ENOMEM'],
    [2, 'ext4_file_read_iter', () => `read_direct("${places.disk}/fl-fmod")`, 'EIO'],
  ])('fails type %s within %s', async (failtype, frame, call, expected) => {
    const { ask } = await victim(cgroup('/fl-fmod'));
    writeFileSync(`${places.disk}/fl-fmod`, 'x'.repeat(4096), { flush: true });
    await fail({ failtype, frame: [frame], cgroup: '/fl-fmod', via: 'fmod_ret' });
    expect(await ask(call(tempFolder()))).toBe(expected);
  });
});

const folders: Readonly<Record<FailType, string>> = {
  slab: 'failslab',
  page: 'fail_page_alloc',
  bio: 'fail_make_request',
};

describe("the kernel's own fault injection", () => {
  const settings = (type: FailType): readonly string[] =>
    ['probability', 'times', 'interval', 'space', 'task-filter', 'verbose'].map((name) =>
      readFileSync(`/sys/kernel/debug/${folders[type]}/${name}`, 'utf8').trim(),
    );

  afterEach(() => {
    endFailures();
    const left = [...markedTasks('make-it-fail'), ...markedTasks('fail-nth')];
    if (left.length > 0) throw new Error(`marks were left on ${JSON.stringify(left)}`);
  });

  it('fails slabs of marked processes only, as often as it is told, and is as it was afterwards', async () => {
    const [one, other] = await Promise.all([victim(cgroup('/fl-debugfs')), victim()]);
    const look = `times(5, look, "${tempFolder()}/bananas")`;
    const before = settings('slab');
    const failing = await fail({ failtype: 'slab', cgroup: '/fl-debugfs', via: 'debugfs', times: 3 });
    expect(failing.way).toBe('debugfs');
    // Python needs memory, too; none of it is asked from the kernel for so little.
    expect(await one.ask(look)).toEqual({ ENOMEM: 3, ENOENT: 2 });
    expect(await other.ask(look)).toEqual({ ENOENT: 5 });
    expect(failing.injected()).toBe(3);
    expect(markedTasks('make-it-fail')).toEqual([{ pid: one.pid, tid: one.pid }]);
    failing.end();
    expect(settings('slab')).toEqual(before);
    expect(await one.ask(look)).toEqual({ ENOENT: 5 });
  });

  it('fails block I/O of a process, and of what it starts', async () => {
    const [one, other] = await Promise.all([victim(), victim()]);
    const file = `${places.disk}/fl-debugfs`;
    writeFileSync(file, 'x'.repeat(4096), { flush: true });
    const before = settings('bio');
    const failing = await fail({ failtype: 'bio', process: String(one.pid), via: 'debugfs' });
    const read = `read_direct("${file}")`;
    expect([await one.ask(read), await other.ask(read)]).toEqual(['EIO', 'ok']);
    expect(await one.ask(`child(read_direct, "${file}")`)).toBe('EIO');
    expect(readFileSync('/sys/block/vda/make-it-fail', 'utf8')).toBe('1\n');
    failing.end();
    expect(readFileSync('/sys/block/vda/make-it-fail', 'utf8')).toBe('0\n');
    expect(settings('bio')).toEqual(before);
    expect(await one.ask(read)).toBe('ok');
  });

  it('fails pages of a process', async () => {
    const one = await victim();
    const file = `${tempFolder()}/page`;
    const failing = await fail({ failtype: 'page', process: String(one.pid), via: 'debugfs', times: 1 });
    expect(await one.ask(`[pwrite("${file}", 65536), pwrite("${file}", 65536)]`)).toContain('ok');
    expect(failing.injected()).toBe(1);
  });

  it('fails the nth call of each thread, once', async () => {
    const one = await victim();
    const file = `${tempFolder()}/bananas`;
    const found: unknown[] = [];
    for (const nth of [1, 2, 3, 4]) {
      const failing = await fail({ failtype: 'slab', process: String(one.pid), nth });
      found.push(await one.ask(`times(6, look, "${file}")`));
      failing.end();
    }
    // One allocation or two belong to each look; one of them fails, sooner or later.
    expect(found).toEqual(Array.from({ length: 4 }, () => ({ ENOMEM: 1, ENOENT: 5 })));
  });

  it('is left alone where somebody else uses it', async () => {
    const one = await victim();
    const file = '/sys/kernel/debug/failslab/probability';
    writeFileSync('/sys/kernel/debug/failslab/task-filter', 'Y');
    writeFileSync(file, '1');
    try {
      await expect(fail({ failtype: 'slab', process: String(one.pid), via: 'debugfs' })).rejects.toMatchObject({
        code: 'GUARD_CONFLICT',
      });
    } finally {
      writeFileSync(file, '0');
      writeFileSync('/sys/kernel/debug/failslab/task-filter', 'N');
    }
  });
});
