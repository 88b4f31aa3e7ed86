import type { Socket } from 'node:net';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { readTcpTable, type TcpTable, tcpOwner, tcpSearches } from '../../linux/procfs/tcp.ts';
import { userName } from '../../linux/users.ts';
import type { Identity } from './identity.ts';

/** How often a connection is looked for: a table that changes while it is read may lack one. */
const attempts = 3;

/**
 * One reading of a table for all who ask while another one is under way: 2,000 connections at once cost two readings.
 * Nobody is given one that began before they asked, since their connection might be younger.
 */
function sharedReader(table: TcpTable): () => Promise<string> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<string> | undefined;
  return () => {
    if (next !== undefined) return next;
    const reading = running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return readTcpTable(table);
      });
    next = reading;
    running = reading;
    return reading;
  };
}

const read: Readonly<Record<TcpTable, () => Promise<string>>> = {
  tcp: sharedReader('tcp'),
  tcp6: sharedReader('tcp6'),
};

interface NativeHandle {
  getpeername?: (out: object) => number;
}

/**
 * Does the kernel still know who is at the other end? getpeername(2) says ENOTCONN once the connection is reset.
 * Node's own `remoteAddress` is what it was once told.
 */
function isConnected(socket: Socket): boolean {
  const handle = (socket as Socket & { readonly _handle?: NativeHandle | null })._handle;
  return handle?.getpeername?.({}) === 0;
}

/**
 * The user at the other end of a connection from this host, or undefined if it cannot be told.
 *
 * The connection must still stand when the table has been read. Otherwise somebody could send a request, reset the
 * connection, and have it taken for that of the next one who connects from the same port.
 */
async function findPeerUid(socket: Socket): Promise<number | undefined> {
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket;
  const theirs = { address: remoteAddress, port: remotePort };
  const ours = { address: localAddress, port: localPort };
  const searches = tcpSearches(theirs, ours);
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    for (const { table, ends } of searches) {
      const uid = tcpOwner(await read[table](), ends);
      if (uid !== undefined) return isConnected(socket) ? uid : undefined;
    }
  }
  return undefined;
}

/** By connection: it has one owner for as long as it lives. */
const known = new WeakMap<Socket, Promise<number | undefined>>();

function peerUid(socket: Socket): Promise<number | undefined> {
  const found = known.get(socket) ?? findPeerUid(socket);
  known.set(socket, found);
  return found;
}

/** Looking a name up may ask a directory on the network, so it is done once. */
const names = new Map<number, string | null>();
const mostNames = 1_000;

function lookUpName(uid: number): string | null {
  try {
    return userName(uid) ?? null;
  } catch {
    // A directory that does not answer must not keep the user out: the number is what counts.
    return null;
  }
}

function nameOf(uid: number): string | null {
  const name = names.get(uid);
  if (name !== undefined) return name;
  const found = lookUpName(uid);
  if (names.size < mostNames) names.set(uid, found);
  return found;
}

function unknown(): FaultlineError {
  return new FaultlineError('UNAUTHENTICATED', 'it cannot be told which user of this host asks', {
    hint: 'keep the connection open until the answer has come, or give the service a token with --token-file',
  });
}

function refusal(uid: number, self: number): FaultlineError {
  const owner = self === 0 ? 'root' : `root and ${printable(nameOf(self) ?? `user ${self}`)}`;
  return new FaultlineError('FORBIDDEN', `this service answers only ${owner} without a token, and not user ${uid}`, {
    hint: 'give it a token with --token-file, for whoever may use it',
  });
}

/**
 * Who asks, where neither tokens nor certificates tell: the user of this host who made the connection. Root and the
 * service's own user could do all of it without the service; nobody else gains by it what they cannot do anyway.
 */
export async function localIdentity(socket: Socket): Promise<Identity> {
  const uid = await peerUid(socket);
  if (uid === undefined) return { refusal: unknown(), actor: {} };
  const self = process.geteuid?.() ?? 0;
  const actor = { uid, user: nameOf(uid) };
  return uid === 0 || uid === self ? { role: 'attack', actor } : { refusal: refusal(uid, self), actor };
}
