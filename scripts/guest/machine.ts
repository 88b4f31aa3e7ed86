import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { type Acceleration, bareMachine, processorOptions, qemu } from './acceleration.ts';
import { ports, shares } from './order.ts';

/** One guest. All files are named by absolute paths. */
export interface Machine {
  readonly kernel: string;
  readonly acceleration: Acceleration;
  readonly memoryMib: number;
  readonly processors: number;
  /** A folder of this guest alone: its sockets, its console, its order. */
  readonly folder: string;
  readonly disk: string;
  /** The folder that the guest may write to. */
  readonly out: string;
  /** PID 1: the program and its arguments, as seen by the guest. */
  readonly init: readonly string[];
}

export type PortName = keyof typeof ports;

const portNames = Object.keys(ports) as PortName[];

/** The kernel's own words. `oops=panic`: a bug that was met once makes whatever comes after it worth nothing. */
function kernelCommandLine([init = '', ...args]: readonly string[]): string {
  const words = [
    'console=ttyS0 loglevel=5 oops=panic panic=-1 mitigations=off tsc=reliable random.trust_cpu=on',
    `root=${shares.root} rootfstype=9p ro NO_COLOR=1`,
    'rootflags=trans=virtio,version=9p2000.L,msize=524288,cache=loose',
    `init=${init} -- ${args.join(' ')}`,
  ];
  return words.join(' ');
}

function share(tag: string, folder: string, more: string): readonly string[] {
  return ['-virtfs', `local,path=${value(folder)},mount_tag=${tag},security_model=none,multidevs=remap${more}`];
}

function socketFile({ folder }: Machine, name: PortName): string {
  return path.join(folder, `${name}.sock`);
}

function consoleFile({ folder }: Machine): string {
  return path.join(folder, 'console.log');
}

/** A comma within a value of QEMU's options is written twice. */
function value(text: string): string {
  return text.replaceAll(',', ',,');
}

function portOptions(machine: Machine, name: PortName): readonly string[] {
  const socket = `socket,id=${name},path=${value(socketFile(machine, name))}`;
  return ['-chardev', socket, '-device', `virtserialport,chardev=${name},nr=${ports[name]},name=${name}`];
}

function qemuArguments(machine: Machine): readonly string[] {
  const { kernel, acceleration, memoryMib, processors, disk, out, init } = machine;
  // Nothing of this disk is ever needed again, so nobody waits for it to be written.
  const drive = `file=${value(disk)},if=none,id=disk,format=raw,cache=unsafe`;
  const hardware = ['-m', String(memoryMib), '-smp', String(processors), '-nic', 'none'];
  const boot = [
    '-kernel',
    kernel,
    '-append',
    kernelCommandLine(init),
    '-serial',
    `file:${value(consoleFile(machine))}`,
  ];
  return [
    ...bareMachine,
    ...processorOptions(acceleration),
    ...hardware,
    ...boot,
    ...share(shares.root, '/', ',readonly=on'),
    ...share(shares.out, out, ''),
    '-drive',
    drive,
    '-device',
    'virtio-blk-pci,drive=disk',
    '-device',
    'virtio-serial-pci',
    ...portNames.flatMap((name) => portOptions(machine, name)),
  ];
}

export interface RunningMachine {
  readonly qemu: ChildProcess;
  /** What QEMU itself complains of. */
  readonly complaints: () => string;
  /** Resolved when QEMU has ended, and all that was on its way has arrived. */
  readonly ended: Promise<void>;
}

/** One port, to which QEMU connects: once, or not at all. */
interface Listening {
  readonly server: Server;
  readonly closed: Promise<void>;
}

async function listen(file: string, onConnect: (socket: Socket) => void): Promise<Listening> {
  const server = createServer();
  const closed = new Promise<void>((resolve) => {
    server.once('connection', (socket) => {
      // A guest that is killed resets what is on its way.
      socket.on('error', () => {}).on('close', () => resolve());
      onConnect(socket);
    });
    server.once('close', resolve);
  });
  await once(server.listen(file), 'listening');
  return { server, closed };
}

/** QEMU dies with this process, whatever ends it: setpriv(1) asks the kernel for that. */
function spawnQemu(machine: Machine): ChildProcessByStdio<null, null, Readable> {
  return spawn('setpriv', ['--pdeathsig', 'KILL', qemu, ...qemuArguments(machine)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Ctrl-C reaches all processes of the terminal's group. QEMU is ended by us.
    detached: true,
  });
}

/**
 * Start QEMU.
 *
 * @param onConnect is given the host's end of each port
 */
export async function startMachine(
  machine: Machine,
  onConnect: (port: PortName, socket: Socket) => void,
): Promise<RunningMachine> {
  const listening = await Promise.all(
    portNames.map((name) => listen(socketFile(machine, name), (socket) => onConnect(name, socket))),
  );
  const child = spawnQemu(machine);
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const gone = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      complaints += `${error.message}\n`;
      resolve();
    });
    child.on('close', () => resolve());
  });
  const ended = (async () => {
    await gone;
    for (const { server } of listening) server.close();
    await Promise.all(listening.map(({ closed }) => closed));
  })();
  return { qemu: child, complaints: () => complaints, ended };
}

/** The last lines of the guest's console. */
export function consoleTail(machine: Machine, lines = 60): string {
  try {
    return readFileSync(consoleFile(machine), 'latin1').trimEnd().split(/\r?\n/u).slice(-lines).join('\n');
  } catch {
    return '';
  }
}
