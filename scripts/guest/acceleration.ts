import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { cacheFolder } from './cache-folder.ts';

export type Acceleration = 'kvm' | 'tcg';

const trialMs = 5_000;

/** QEMU itself, without the devices that it has when nothing is said. */
export const qemu = 'qemu-system-x86_64';
export const bareMachine = ['-M', 'q35', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'] as const;

/** What QEMU is told of the processor. */
export function processorOptions(acceleration: Acceleration): readonly string[] {
  return acceleration === 'kvm' ? ['-accel', 'kvm', '-cpu', 'host'] : ['-accel', 'tcg,thread=multi', '-cpu', 'max'];
}

/**
 * Boot the kernel without a root, which it ends with a panic. A machine in a virtual machine may well have `/dev/kvm`,
 * and let its guests hang.
 */
function bootsWithKvm(kernel: string): boolean {
  const boot = ['-m', '256', '-serial', 'stdio', '-kernel', kernel, '-append', 'console=ttyS0 panic=-1'];
  const { stdout, error } = spawnSync(qemu, [...bareMachine, ...processorOptions('kvm'), ...boot], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: trialMs,
    killSignal: 'SIGKILL',
  });
  return error === undefined && stdout.includes('Kernel panic - not syncing: VFS');
}

/** The verdict of this boot of the host, for this kernel. */
interface Verdict {
  readonly of: string;
  readonly acceleration: Acceleration;
}

function remembered(file: string): Verdict | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Verdict;
  } catch {
    return undefined;
  }
}

/**
 * How QEMU runs the guest: `GUEST_ACCEL` of the environment, or what a trial has shown since the host has booted.
 *
 * @throws Error GUEST_ACCEL is neither `kvm` nor `tcg`
 */
export function chooseAcceleration(kernel: string): Acceleration {
  const wanted = process.env['GUEST_ACCEL'] ?? '';
  if (wanted === 'kvm' || wanted === 'tcg') return wanted;
  if (wanted !== '') throw new Error(`GUEST_ACCEL=${wanted}: it may be kvm or tcg`);
  const file = path.join(cacheFolder(), 'acceleration.json');
  const of = `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${kernel}`;
  const known = remembered(file);
  if (known?.of === of) return known.acceleration;
  const acceleration = bootsWithKvm(kernel) ? 'kvm' : 'tcg';
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ of, acceleration } satisfies Verdict)}\n`);
  return acceleration;
}
