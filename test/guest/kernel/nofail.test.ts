import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { places } from '../../../scripts/guest/order.ts';
import { fail } from '../../support/kernel-failure.ts';
import { cgroup, victim } from '../../support/kernel-victim.ts';

/*
 * A file of ext4 that is written to gets buffers, and their memory is asked for with __GFP_NOFAIL
 * (create_empty_buffers of fs/buffer.c). Refused, the kernel follows a null pointer.
 */

const tracing = '/sys/kernel/tracing';
const event = `${tracing}/events/kprobes/guest_nofail`;

afterEach(() => {
  writeFileSync(`${event}/enable`, '0');
  writeFileSync(`${tracing}/kprobe_events`, '-:guest_nofail', { flag: 'a' });
  writeFileSync(`${tracing}/trace`, '');
});

/** Have the kernel trace who asks for memory with __GFP_NOFAIL, its bit 0x8000 in Linux 6.1. @returns how many have */
function traceNoFail(pid: number): () => number {
  writeFileSync(`${tracing}/kprobe_events`, 'p:guest_nofail should_failslab flags=%si:u32', { flag: 'a' });
  writeFileSync(`${event}/filter`, `flags & 0x8000 && common_pid == ${pid}`);
  writeFileSync(`${event}/enable`, '1');
  return () => readFileSync(`${tracing}/trace`, 'utf8').match(/guest_nofail/gu)?.length ?? 0;
}

const flagged = '(struct kmem_cache *s, gfp_t flags)(flags & 0x8000)';

it.each([[['create_empty_buffers']], [['create_empty_buffers', flagged]]])(
  'memory that must be given is, whatever asks for it to fail: %o',
  async (frame) => {
    const { ask, pid } = await victim(cgroup('/fl-nofail'));
    const asked = traceNoFail(pid);
    const { counts } = await fail({ failtype: 'slab', frame, cgroup: '/fl-nofail' });
    const file = `${places.disk}/fl-nofail-${frame.length}`;
    expect(await ask(`write_and_sync("${file}")`)).toEqual(['ok', 'ok']);
    expect(asked()).toBeGreaterThan(0);
    expect(counts().frames[0]?.matched).toBeGreaterThan(0);
    // Without the predicate others may be in there, which ask for memory in another way.
    if (frame.includes(flagged)) expect(counts()).toMatchObject({ matched: 0, injected: 0 });
  },
);
