import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { fail } from '../../support/kernel-failure.ts';
import { cgroup, victim } from '../../support/kernel-victim.ts';
import { tempFolder } from '../../support/cli.ts';

const bananas = 'd_alloc_parallel(struct dentry *parent, const struct qstr *name)(STRNCMP(name->name, "bananas", 8))';

describe('a call chain', () => {
  it('of one system call: mount(2) runs out of memory, and does not before and after', async () => {
    const { ask } = await victim(cgroup('/fl-mount'));
    const place = tempFolder();
    expect(await ask(`times(3, mount, "${place}")`)).toEqual({ ok: 3 });
    const { injected, counts, hits, end, way } = await fail({
      failKernRequest: { failtype: 0, callchain: [{ funcname: '__x64_sys_mount' }] },
      cgroup: '/fl-mount',
    });
    expect(way).toBe('override');
    expect(await ask(`times(20, mount, "${place}")`)).toEqual({ ENOMEM: 20 });
    expect(injected()).toBeGreaterThanOrEqual(20);
    expect(counts().frames[0]?.seen).toBe(20);
    expect(hits()[0]).toMatchObject({ comm: 'python3' });
    end();
    expect(await ask(`times(3, mount, "${place}")`)).toEqual({ ok: 3 });
  });

  it('with a predicate on a name: bananas fails; apples, bananasplit and banana do not', async () => {
    const { ask } = await victim(cgroup('/fl-fruit'));
    const folder = tempFolder();
    for (const name of ['bananas', 'apples', 'bananasplit', 'banana']) mkdirSync(`${folder}/there-${name}`);
    const stats = async (): Promise<unknown> =>
      ask(`[stat("${folder}/" + name) for name in ["bananas", "apples", "bananasplit", "banana"]]`);
    expect(await stats()).toEqual(['ENOENT', 'ENOENT', 'ENOENT', 'ENOENT']);
    const { counts } = await fail({ failtype: 'slab', frame: [bananas], cgroup: '/fl-fruit' });
    expect(await stats()).toEqual(['ENOMEM', 'ENOENT', 'ENOENT', 'ENOENT']);
    expect(counts().frames[0]).toMatchObject({ matched: 1 });
  });

  it('of three frames fires in their order, and never in another one', async () => {
    const { ask } = await victim(cgroup('/fl-three'));
    const file = `${tempFolder()}/bananas`;
    const [outer, inner] = ['do_sys_openat2', 'path_openat'];
    const wrong = await fail({ failtype: 0, frame: [inner, outer, bananas], cgroup: '/fl-three' });
    expect(await ask(`times(20, look, "${file}")`)).toEqual({ ENOENT: 20 });
    expect(wrong.counts()).toMatchObject({ injected: 0, frames: [{ seen: 20 }, { seen: 0 }, { seen: 0 }] });
    wrong.end();
    const right = await fail({ failtype: 0, frame: [outer, inner, bananas], cgroup: '/fl-three' });
    expect(await ask(`times(20, look, "${file}")`)).toEqual({ ENOMEM: 20 });
    expect(right.counts()).toMatchObject({ injected: 20, frames: [{ matched: 20 }, { matched: 20 }, { matched: 20 }] });
    // The last frame is called from elsewhere, too: not in this order.
    expect(await ask(`stat("${file}")`)).toBe('ENOENT');
  });

  it('in the syntax of inject.py, the innermost first, and of a system call with its own parameters', async () => {
    const { ask } = await victim(cgroup('/fl-spec'));
    const file = `${tempFolder()}/bananas`;
    const call = '__x64_sys_openat(int dfd, const char *file, int flags)((flags & 1) == 0)';
    const spec = `${bananas} => path_openat() => ${call}`;
    const { injected } = await fail({ failtype: 'slab', spec, cgroup: '/fl-spec' });
    expect(await ask(`look("${file}")`)).toBe('ENOMEM');
    expect(await ask(`attempt(os.open, "${file}", os.O_WRONLY)`)).toBe('ENOENT');
    expect(injected()).toBe(1);
  });

  it('may have one function twice: only its call within its own call counts', async () => {
    const { ask } = await victim(cgroup('/fl-twice'));
    const [one, other, merged] = [tempFolder(), tempFolder(), tempFolder()];
    for (const folder of [one, other]) mkdirSync(`${folder}/in-${path.basename(folder)}`);
    // overlayfs reads its folder by reading those below it, and keeps what it has read in memory.
    execFileSync('mount', ['-t', 'overlay', '-o', `lowerdir=${one}:${other}`, 'none', merged]);
    try {
      const { counts, end } = await fail({ failtype: 0, frame: ['iterate_dir', 'iterate_dir'], cgroup: '/fl-twice' });
      const list = (folder: string): Promise<unknown> => ask(`times(5, lambda: attempt(os.listdir, "${folder}"))`);
      expect(await list(one)).toEqual({ ok: 5 });
      expect(counts()).toMatchObject({ seen: 0, injected: 0, frames: [{ seen: expect.any(Number) }, { seen: 0 }] });
      expect(await list(merged)).toEqual({ ENOMEM: 5 });
      expect(counts().injected).toBe(5);
      end();
      expect(await list(merged)).toEqual({ ok: 5 });
    } finally {
      execFileSync('umount', [merged]);
    }
  });

  it('ends in any function that may fail, with the error that is asked for', async () => {
    const { ask } = await victim(cgroup('/fl-function'));
    const input = { function: '__x64_sys_sethostname', errno: 'EACCES', cgroup: '/fl-function', times: 2 };
    const { injected } = await fail(input);
    const call = 'attempt(lambda: check(libc.sethostname(b"guest", 5)))';
    expect(await ask(`[${call}, ${call}, ${call}]`)).toEqual(['EACCES', 'EACCES', 'ok']);
    expect(injected()).toBe(2);
  });
});
