import { createInterface } from 'node:readline';
import { posixCases } from '../host/fuse/posix/cases/all.ts';
import { manyFilesCase } from '../host/fuse/posix/cases/many.ts';
import { deeds } from './posix/deeds.ts';
import { decodeMessage, encodeMessage } from './posix/message.ts';
import { type Identity, type Peer, bePeer, startPeer } from './posix/peer.ts';
import type { FileSystem } from './posix/file-system.ts';
import type { PlayRequest, PlayerAnswer, PlayerRequest } from './posix/player.ts';
import { check } from './fs-model/check.ts';
import { roam } from './fs-model/roam.ts';
import { play } from './posix/scene.ts';

/*
 * Plays cases of the POSIX battery, or compares with the model, in a process of its own, so that a mount that hangs or
 * a signal that kills meets no test runner. As a peer it makes the system calls that another process of it is told to.
 *
 *   node posix-program.mjs                 requests on stdin, answers on stdout
 *   node posix-program.mjs peer IDENTITY   by a case
 *   node posix-program.mjs CASE FOLDER     by a person, to see what a case sees
 */

const peers = new Map<string, Peer>();

function peerOf(identity: Identity): Peer {
  const key = JSON.stringify(identity);
  const known = peers.get(key);
  if (known !== undefined && !known.hasEnded()) return known;
  const peer = startPeer(identity);
  peers.set(key, peer);
  return peer;
}

function livingPeers(): readonly Peer[] {
  return [...peers.values()].filter((peer) => !peer.hasEnded());
}

function endPeers(): void {
  for (const peer of peers.values()) peer.end();
  peers.clear();
}

function playCase({ name, folder, fileSystem }: PlayRequest): PlayerAnswer {
  const one = [...posixCases, manyFilesCase].find((known) => known.name === name);
  if (one === undefined) return { error: `there is no case "${name}"` };
  const observations = play(one, { fileSystem, folder, peer: peerOf });
  for (const peer of livingPeers()) peer.does.reset([]);
  return { observations };
}

function answer(request: PlayerRequest): PlayerAnswer {
  try {
    if ('play' in request) return playCase(request.play);
    return 'check' in request ? { difference: check(request.check) } : { strange: roam(request.roam) };
  } catch (error) {
    // A peer may be in the middle of something.
    endPeers();
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  } finally {
    deeds.reset(livingPeers().flatMap(({ fds }) => fds));
  }
}

async function serve(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(encodeMessage(answer(decodeMessage(line) as PlayerRequest)));
  }
  endPeers();
}

const [first, second] = process.argv.slice(2);
if (first === 'peer' && second !== undefined) bePeer(JSON.parse(second) as Identity, deeds);
else if (first !== undefined && second !== undefined) {
  const fileSystem: FileSystem = process.argv[4] === 'tmpfs' ? 'tmpfs' : 'ext4';
  console.log(answer({ play: { name: first, folder: second, fileSystem } }));
  endPeers();
} else await serve();
