import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { delay } from '../src/base/delay.ts';
import type { Figure } from './figure.ts';

/*
 * The same three frames by bcc's `inject` (Debian's bpfcc-tools, with linux-headers-amd64), which compiles its programs
 * by LLVM and the kernel's headers.
 */

const inject = '/usr/sbin/inject-bpfcc';
const spec =
  'd_alloc_parallel(struct dentry *parent, const struct qstr *name)(STRCMP(name->name, bananas)) => ' +
  'path_openat() => do_sys_openat2()';
/** For each frame its beginning and its end, and what fails. */
const probes = 7;
const patienceMs = 240_000;
const pollMs = 50;

/** How many probes there are in the kernel, whoever placed them. Documentation/trace/kprobes.rst */
function probesInPlace(): number {
  return readFileSync('/sys/kernel/debug/kprobes/list', 'utf8').split('\n').length - 1;
}

/** Wait until all probes are placed; the process may end before. */
export async function injectedMs(beginMs: number, isOver: () => boolean): Promise<number | undefined> {
  while (probesInPlace() < probes) {
    if (isOver() || performance.now() - beginMs > patienceMs) return undefined;
    await delay(pollMs);
  }
  return performance.now() - beginMs;
}

/** Its guest has a kernel without modules, and so no folder of headers; Debian's for its own kernel are near enough. */
function provideHeaders(): boolean {
  const modules = path.join('/lib/modules', os.release());
  if (existsSync(path.join(modules, 'build'))) return true;
  const series = `linux-headers-${os.release().split('.').slice(0, 2).join('.')}.`;
  const found = (end: string): string | undefined =>
    readdirSync('/usr/src').find((name) => name.startsWith(series) && name.endsWith(end));
  const [build, source] = [found('-amd64'), found('-common')];
  if (process.env['FAULTLINE_GUEST'] !== '1' || build === undefined || source === undefined) return false;
  mkdirSync(modules, { recursive: true });
  symlinkSync(path.join('/usr/src', build), path.join(modules, 'build'));
  symlinkSync(path.join('/usr/src', source), path.join(modules, 'source'));
  return true;
}

/** The most memory that a process had, in MiB: proc_pid_status(5). */
function peakMiB({ pid }: ChildProcess): number {
  return Number(/^VmHWM:\s+(\d+)/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/**
 * As it is installed, the verifier of Linux 6.1 refuses it: where a frame ends it reads its stack at an index of which
 * LLVM has lost the bounds. In a copy each index is compared by itself.
 */
function patched(folder: string): string {
  const original = readFileSync(inject, 'utf8');
  const [begin, end] = [
    '        text = """\n        if (p->conds_met < 1',
    '        return text % str(self.length + 1)\n',
  ];
  const from = original.indexOf(begin);
  const to = original.indexOf(end, from);
  if (from < 0 || to < 0) return inject;
  const one = 'if (p->conds_met == %d) { if (p->stack[%d] == p->curr_call) p->conds_met = %d; } else ';
  const text = `        return "".join("${one}" % (i + 1, i, i) for i in range(self.length)) + "{}"\n`;
  const copy = path.join(folder, 'inject.py');
  writeFileSync(copy, original.slice(0, from) + text + original.slice(to + end.length));
  return copy;
}

function skipped(why: string): readonly Figure[] {
  console.log(`  !!! SKIPPED: the comparison with bcc's inject: ${why}`);
  return [];
}

/** @param oursMs from the start of `attack kernel` until its probes are placed */
export async function bccFigures(oursMs: number): Promise<readonly Figure[]> {
  if (!existsSync(inject)) return skipped(`there is no ${inject} (Debian's bpfcc-tools)`);
  if (!provideHeaders()) return skipped('it finds no headers of this kernel (linux-headers-amd64)');
  const before = probesInPlace();
  if (before > 0) return skipped(`${before} probes of somebody else are in place`);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'faultline-bench-'));
  const args = [patched(folder), '-I', 'linux/dcache.h', 'kmalloc', spec];
  const begin = performance.now();
  const child = spawn('/usr/bin/python3', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
  try {
    const bccMs = await injectedMs(begin, () => child.exitCode !== null);
    if (bccMs === undefined) return skipped(`it did not come so far: ${said.trim().split('\n').at(-1) ?? ''}`);
    return [
      { name: "bcc's inject with the same frames, command to injected", value: bccMs, unit: 'ms' },
      { name: 'attack kernel takes of that', value: (100 * oursMs) / bccMs, unit: '%', bound: '≤ 10 %' },
      { name: "peak memory of bcc's inject", value: peakMiB(child), unit: 'MiB' },
    ];
  } finally {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true });
  }
}
