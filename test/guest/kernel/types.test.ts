import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { places } from '../../../scripts/guest/order.ts';
import { fail } from '../../support/kernel-failure.ts';
import { cgroup, victim } from '../../support/kernel-victim.ts';
import { tempFolder } from '../../support/cli.ts';

describe('pages', () => {
  it('a write to tmpfs runs out of memory', async () => {
    const { ask } = await victim(cgroup('/fl-page'));
    const file = `${tempFolder()}/page`;
    expect(await ask(`pwrite("${file}", 4096)`)).toBe('ok');
    const { injected, end } = await fail({ failtype: 1, frame: ['__x64_sys_pwrite64'], cgroup: '/fl-page' });
    expect(await ask(`pwrite("${file}-2", 4096)`)).toBe('ENOMEM');
    expect(injected()).toBeGreaterThan(0);
    end();
    expect(await ask(`pwrite("${file}-2", 4096)`)).toBe('ok');
  });
});

describe('block I/O of ext4 on virtio', () => {
  it('fails with EIO where it is read, directly and through the cache, and where it is synced', async () => {
    const { ask } = await victim(cgroup('/fl-bio'));
    const other = await victim();
    const [file, written] = [`${places.disk}/fl-read`, `${places.disk}/fl-written`];
    writeFileSync(file, 'x'.repeat(65_536), { flush: true });
    const reads = [`read_direct("${file}")`, `read_buffered("${file}")`];
    expect([await ask(reads[0] ?? ''), await ask(reads[1] ?? '')]).toEqual(['ok', 'ok']);
    const { injected, end } = await fail({ failtype: 'bio', cgroup: '/fl-bio' });
    expect([await ask(reads[0] ?? ''), await ask(reads[1] ?? '')]).toEqual(['EIO', 'EIO']);
    // What is written stays in the cache at first, and is the writer's own when it syncs.
    expect(await ask(`write_and_sync("${written}")`)).toEqual(['ok', 'EIO']);
    expect(injected()).toBeGreaterThanOrEqual(3);
    expect(await other.ask(reads[0] ?? '')).toBe('ok');
    end();
    expect(await ask(reads[0] ?? '')).toBe('ok');
    expect(await ask(`write_and_sync("${written}")`)).toEqual(['ok', 'ok']);
  });
});
