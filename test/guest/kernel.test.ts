import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { parseKernelConfig, unmetOptions } from '../../scripts/guest/kernel-config.ts';
import { fragmentFile } from '../../scripts/guest/kernel-recipe.ts';
import { bindFunction } from '../../src/linux/libc.ts';

const tracing = '/sys/kernel/tracing';
const failFunction = '/sys/kernel/debug/fail_function';

/** A system call that nobody else makes here. sethostname(2). */
const probed = '__x64_sys_sethostname';
const hostname = os.hostname();
const sethostname = bindFunction('sethostname', 'int', ['string', 'size_t']);
const setHostname = (name: string): number => sethostname(name, name.length);

const text = (file: string): string => readFileSync(file, 'utf8');

describe("the guest's kernel", () => {
  it('has each option that the fragment asks for', () => {
    const wanted = parseKernelConfig(text(fragmentFile));
    const actual = parseKernelConfig(gunzipSync(readFileSync('/proc/config.gz')).toString('utf8'));
    expect(wanted.size).toBeGreaterThan(100);
    expect(unmetOptions(wanted, actual)).toEqual([]);
  });

  it('describes its types', () => {
    // The magic of BTF, include/uapi/linux/btf.h.
    expect(readFileSync('/sys/kernel/btf/vmlinux').readUInt16LE()).toBe(0xeb9f);
  });

  it.each(['should_failslab', 'should_fail_alloc_page', 'should_fail_bio', '__x64_sys_mount'])(
    'lets %s be failed',
    (name) => {
      const functions = text('/sys/kernel/debug/error_injection/list')
        .split('\n')
        .map((line) => line.split('\t')[0]);
      expect(functions).toContain(name);
    },
  );
});

describe('kprobes', () => {
  afterEach(() => {
    writeFileSync(`${tracing}/events/kprobes/enable`, '0');
    writeFileSync(`${tracing}/kprobe_events`, '-:guest_test', { flag: 'a' });
  });

  it('are hit by each call while they are on, and by none before', () => {
    const hits = (): number => Number(/^\s*guest_test\s+(\d+)/mu.exec(text(`${tracing}/kprobe_profile`))?.[1]);
    writeFileSync(`${tracing}/kprobe_events`, `p:guest_test ${probed}`, { flag: 'a' });
    setHostname(hostname);
    expect(hits()).toBe(0);
    writeFileSync(`${tracing}/events/kprobes/guest_test/enable`, '1');
    setHostname(hostname);
    setHostname(hostname);
    expect(hits()).toBe(2);
  });
});

describe('error injection', () => {
  afterEach(() => {
    writeFileSync(`${failFunction}/probability`, '0');
    writeFileSync(`${failFunction}/inject`, `!${probed}`);
  });

  it('fails a system call with the error that it is told, as often as it is told', () => {
    writeFileSync(`${failFunction}/inject`, probed);
    writeFileSync(`${failFunction}/${probed}/retval`, `0x${BigInt.asUintN(64, -12n).toString(16)}`);
    writeFileSync(`${failFunction}/verbose`, '0');
    writeFileSync(`${failFunction}/times`, '2');
    writeFileSync(`${failFunction}/probability`, '100');
    const outOfMemory = expect.objectContaining({ errno: 'ENOMEM' });
    expect(() => setHostname(hostname)).toThrow(outOfMemory);
    expect(() => setHostname(hostname)).toThrow(outOfMemory);
    expect(() => setHostname(hostname)).not.toThrow();
  });
});
