import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { tempFolder } from '../../support/cli.ts';
import { fail } from '../../support/kernel-failure.ts';
import { cgroup, victim } from '../../support/kernel-victim.ts';

/*
 * The kernel sees the return of so many calls of a function at a time (maxactive: ten, or two for each processor); of
 * those that began while as many were under way it does not. Documentation/trace/kprobes.rst
 */

const bananas = 'd_alloc_parallel(struct dentry *parent, const struct qstr *name)(STRNCMP(name->name, "bananas", 8))';
const threads = 40;

it('returns that go unseen: who has left the frame does not fail, and who enters it anew does', async () => {
  const { ask } = await victim(cgroup('/fl-unseen'));
  const folder = tempFolder();
  execFileSync('mkfifo', [`${folder}/fifo`]);
  const { counts, followed } = await fail({
    failtype: 'slab',
    frame: ['do_sys_openat2', bananas],
    cgroup: '/fl-unseen',
  });
  expect(await ask(`gathered(${threads}, "${folder}/fifo", "${folder}/bananas")`)).toEqual({ ENOENT: threads });
  // Asked before they enter it anew: from then on all of their returns may be seen.
  expect(followed(), 'some returns went unseen').toBeGreaterThan(0);
  expect(await ask('enter_anew()')).toEqual({ ENOMEM: threads });
  expect(counts().frames[0]?.seen).toBeGreaterThanOrEqual(2 * threads);
});
