/*
 * PID 1 of the guest: Node.js itself, with this program. What it needs is here anyway, it is written and checked as all
 * else is, and nothing has to be installed for it; a shell from a package would need tools for each step, too.
 *
 * Its standard output is the console. If it dies, the kernel panics, and QEMU ends.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GuestMessage, type GuestOrder, places, ports } from '../../../scripts/guest/order.ts';
import { readStat } from '../../../src/linux/procfs/stat.ts';
import { mountOurs, mountRoot, mountSystem, mountTemporary, upMs, usedMib } from './file-systems.ts';
import { interfaceUp, powerOff, reap } from './system-calls.ts';

const portPatienceMs = 60_000;

/** The device of a port, once the driver has found it: it is called after its number among all virtio devices. */
async function port(number: number): Promise<string> {
  const deadline = performance.now() + portPatienceMs;
  for (;;) {
    const name = readdirSync('/dev').find((device) => device.startsWith('vport') && device.endsWith(`p${number}`));
    if (name !== undefined) return path.join('/dev', name);
    if (performance.now() > deadline) throw new Error(`there is no port ${number}`);
    await sleep(5);
  }
}

/** Orphans become children of PID 1, which must take them away when they die. */
function reapOrphans(own: number): void {
  for (const name of readdirSync('/proc')) {
    const pid = /^\d+$/u.test(name) ? Number(name) : own;
    if (pid === own) continue;
    const stat = readStat(pid);
    if (stat?.state === 'Z' && stat.ppid === process.pid) reap(pid);
  }
}

function enterCgroup(pid: number): void {
  writeFileSync(path.join(places.cgroup, 'cgroup.procs'), String(pid));
}

function makeCgroup(): void {
  mkdirSync(places.cgroup);
  const controllers = readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').trim().split(' ');
  writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', controllers.map((name) => `+${name}`).join(' '));
}

/** Run the command, with the ports as its output. @returns its exit code and the most memory that was in use */
async function run({ command, cwd, env }: GuestOrder): Promise<{ readonly code: number; readonly peakMib: number }> {
  const [file = '', ...args] = command;
  const output = [openSync(await port(ports.stdout), 'w'), openSync(await port(ports.stderr), 'w')];
  let peakMib = usedMib();
  const channel = { GUEST_CHANNEL: await port(ports.channel) };
  const child = spawn(file, args, { cwd, env: { ...env, ...channel }, stdio: ['ignore', ...output] });
  if (child.pid !== undefined) enterCgroup(child.pid);
  const onChild = (): void => reapOrphans(child.pid ?? 0);
  process.on('SIGCHLD', onChild);
  const looking = setInterval(() => {
    peakMib = Math.max(peakMib, usedMib());
  }, 1000);
  try {
    const code = await new Promise<number>((resolve) => {
      child.on('error', (error) => {
        writeSync(output[1] ?? 2, `${error.message}\n`);
        resolve(127);
      });
      child.on('exit', (exit, signal) => resolve(exit ?? 128 + constants.signals[signal ?? 'SIGKILL']));
    });
    return { code, peakMib };
  } finally {
    clearInterval(looking);
    process.off('SIGCHLD', onChild);
    for (const fd of output) closeSync(fd);
  }
}

async function main(): Promise<void> {
  const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as GuestOrder;
  mountRoot();
  mountSystem();
  mountTemporary(order.keep);
  mountOurs();
  interfaceUp('lo');
  writeFileSync('/proc/sys/kernel/hostname', 'guest');
  makeCgroup();
  const control = openSync(await port(ports.control), 'w');
  const tell = (message: GuestMessage): number => writeSync(control, `${JSON.stringify(message)}\n`);
  tell({ kind: 'ready', upMs: upMs() });
  const { code, peakMib } = await run(order);
  tell({ kind: 'ended', code, upMs: upMs(), peakMib });
  powerOff();
}

await main();
