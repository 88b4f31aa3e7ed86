import { describe, expect, it } from 'vitest';
import { programExists } from '../../../src/linux/bpf/program.ts';
import { eventually } from '../../support/eventually.ts';
import { fail } from '../../support/kernel-failure.ts';
import { cgroup, victim } from '../../support/kernel-victim.ts';
import { tempFolder } from '../../support/cli.ts';

const frames = {
  failtype: 'slab',
  frame: [
    'do_sys_openat2',
    'd_alloc_parallel(struct dentry *parent, const struct qstr *name)(STRNCMP(name->name, "bananas", 8))',
  ],
};

describe('how often', () => {
  it('twice and no more, however many threads on two processors ask at once', async () => {
    const { ask } = await victim(cgroup('/fl-times'));
    const file = `${tempFolder()}/bananas`;
    const { counts } = await fail({ ...frames, cgroup: '/fl-times', times: 2 });
    expect(await ask(`threads(8, 200, look, "${file}")`)).toEqual({ ENOMEM: 2, ENOENT: 1598 });
    // A thread that finds the name while another one looks for it does not come to the last frame.
    expect(counts()).toMatchObject({ injected: 2, frames: [{ matched: 1600 }, {}] });
    expect(counts().matched).toBeGreaterThan(2);
  });

  it('half of the calls, within four standard deviations', async () => {
    const { ask } = await victim(cgroup('/fl-half'));
    const file = `${tempFolder()}/bananas`;
    const { counts } = await fail({ ...frames, cgroup: '/fl-half', probability: 50 });
    const found = (await ask(`times(1000, look, "${file}")`)) as { readonly ENOMEM: number };
    expect(Math.abs(found.ENOMEM - 500)).toBeLessThanOrEqual(4 * Math.sqrt(250));
    expect(counts().injected).toBe(found.ENOMEM);
    // Drawn once for each call of the outermost frame, and not for each allocation in it.
    expect(counts().frames[0]?.seen).toBe(1000);
  });
});

describe('several at once', () => {
  it('on the same function work side by side, and one outlives the other', async () => {
    const [one, other] = await Promise.all([victim(cgroup('/fl-one')), victim(cgroup('/fl-other'))]);
    const stat = `look("${tempFolder()}/bananas")`;
    const first = await fail({ ...frames, cgroup: '/fl-one' });
    const second = await fail({ ...frames, cgroup: '/fl-other', times: 1 });
    expect([await one.ask(stat), await other.ask(stat), await other.ask(stat)]).toEqual(['ENOMEM', 'ENOMEM', 'ENOENT']);
    first.end();
    await eventually('its programs are gone', () => !first.programIds.some(programExists));
    expect(second.programIds.every(programExists)).toBe(true);
    expect([await one.ask(stat), second.injected()]).toEqual(['ENOENT', 1]);
  });
});
