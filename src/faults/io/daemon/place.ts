import { createHash } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';

/*
 * Where the daemon of a volume is found: a socket in the state folder whose name follows from the volume. Whoever knows
 * the volume finds its daemon, also after a crash before the daemon's identity was written down.
 */

/** What a volume is, whatever it is called: a folder in a mount namespace. */
export interface VolumeIdentity {
  /** The inode of the mount namespace. */
  readonly mountNamespace: number;
  /** `major:minor` of its file system. */
  readonly device: string;
  /** The inode of the folder, a decimal number. */
  readonly inode: string;
}

/** `volume:4026531841:254:1:131073`, as claims and the journal have it. */
export function volumeKey({ mountNamespace, device, inode }: VolumeIdentity): string {
  return `volume:${mountNamespace}:${device}:${inode}`;
}

/** A process that uses a volume. It may use others as well, each of which may have a fault of its own. */
export function userKey(volume: string, user: { readonly pid: number; readonly startTimeTicks: number }): string {
  return `${volume}:user:${user.pid}:${user.startTimeTicks}`;
}

/** The files of a volume's daemon. */
export interface DaemonPlace {
  /** The folder of all daemons; only its owner may look into it. */
  readonly folder: string;
  readonly socket: string;
  readonly log: string;
  /** Held by the daemon while it lives. */
  readonly lock: string;
  /** Held by whoever moves open files now: those who do it for several volumes take turns. */
  readonly moveLock: string;
}

function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}

/** The source that the mount table shows for a volume's mount: it tells our mount from any other. */
export function sourceOf(key: string): string {
  return `faultline-${nameOf(key)}`;
}

export function daemonPlace(stateDir: string, key: string): DaemonPlace {
  return placeNamed(stateDir, nameOf(key));
}

/** The place of the daemon whose mount has this source; undefined: it is none of ours. */
export function placeBySource(stateDir: string, source: string): DaemonPlace | undefined {
  const [, name] = /^faultline-([0-9a-f]{16})$/u.exec(source) ?? [];
  return name === undefined ? undefined : placeNamed(stateDir, name);
}

function placeNamed(stateDir: string, name: string): DaemonPlace {
  const folder = path.join(stateDir, 'volumes');
  const file = (suffix: string): string => path.join(folder, `${name}.${suffix}`);
  const moveLock = path.join(folder, 'move.lock');
  return Object.freeze({ folder, socket: file('sock'), log: file('log'), lock: file('lock'), moveLock });
}

export function makeDaemonFolder({ folder }: DaemonPlace): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/**
 * Do something with a socket's path, however long it is: the kernel takes no more than 107 bytes (unix(7)), and a way
 * through a descriptor of its folder is short.
 */
export async function withShortPath<Result>(socket: string, body: (short: string) => Promise<Result>): Promise<Result> {
  const folder = openSync(path.dirname(socket), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await body(`/proc/self/fd/${folder}/${path.basename(socket)}`);
  } finally {
    closeSync(folder);
  }
}
