import {
  F_OFD_GETLK,
  F_OFD_SETLK,
  F_OFD_SETLKW,
  F_GETLK,
  F_RDLCK,
  F_SETLK,
  F_SETLKW,
  F_UNLCK,
  F_WRLCK,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
} from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import type { Peer } from '../../../../support/posix/peer.ts';
import { type PosixCase, must } from '../../../../support/posix/scene.ts';
import { sleepMs } from '../../../../support/posix/wait.ts';
import { fileWith, textOf } from './common.ts';

/* Locks: fcntl(2), F_OFD_SETLK, flock(2), leases. */

/** How long a lock is watched that must not be given. Too short a time proves less, and fails nothing. */
const watchMs = 150;

/** Byte 1, as soon as nobody else has it. */
function lockSoon({ does }: Peer, fd: number): number {
  let result = does.lock(fd, F_SETLK, F_WRLCK, 1, 1);
  while (result < 0) {
    sleepMs(5);
    result = does.lock(fd, F_SETLK, F_WRLCK, 1, 1);
  }
  return result;
}

export const lockCases: readonly PosixCase[] = [
  {
    name: 'POSIX locks',
    play: ({ at, see, peer }) => {
      fileWith(at('file'), '0123456789');
      const fd = must(calls.open(at('file'), O_RDWR));
      const { does, begin } = peer();
      const theirs = must(does.open(at('file'), O_RDWR));
      see('of some bytes', calls.lock(fd, F_SETLK, F_WRLCK, 2, 4), 0);
      see('that another wants', does.lock(theirs, F_SETLK, F_WRLCK, 0, 3), 'EAGAIN');
      see('even for reading', does.lock(theirs, F_SETLK, F_RDLCK, 5, 1), 'EAGAIN');
      see('beside them', does.lock(theirs, F_SETLK, F_WRLCK, 6, 4), 0);
      const told = does.getLock(theirs, F_GETLK, F_WRLCK, 0, 100);
      see(
        'who has them',
        typeof told === 'number' ? told : { ...told, pid: told.pid === process.pid ? 'ours' : 'not ours' },
        {
          type: F_WRLCK,
          start: 2,
          length: 4,
          pid: 'ours',
        },
      );
      see('what nobody has', (does.getLock(theirs, F_GETLK, F_WRLCK, 50, 1) as { type: number }).type, F_UNLCK);
      see(
        'for reading, shared',
        [calls.lock(fd, F_SETLK, F_RDLCK, 2, 4), does.lock(theirs, F_SETLK, F_RDLCK, 2, 4)],
        [0, 0],
      );
      see('for writing, when two read', calls.lock(fd, F_SETLK, F_WRLCK, 2, 4), 'EAGAIN');
      const waiting = begin('lock', theirs, F_SETLKW, F_WRLCK, 2, 4);
      see('one that waits', waiting.isOver(watchMs), false);
      see('gets it', [calls.lock(fd, F_SETLK, F_UNLCK, 0, 0), waiting.result()], [0, 0]);
      see('and has it', calls.lock(fd, F_SETLK, F_RDLCK, 3, 1), 'EAGAIN');
      const other = must(does.open(at('file'), O_RDONLY));
      see('lost when any descriptor is closed', [does.close(other), calls.lock(fd, F_SETLK, F_WRLCK, 0, 0)], [0, 0]);
      see(
        'for writing, by a reader',
        calls.lock(must(calls.open(at('file'), O_RDONLY)), F_SETLK, F_WRLCK, 0, 0),
        'EBADF',
      );
      see('it does not keep from writing', [does.pwrite(theirs, 'X', 3), textOf(at('file'))], [1, '012X456789']);
    },
  },
  {
    name: 'POSIX locks that wait for each other',
    play: ({ at, see, peer }) => {
      const [one, other] = [peer(), peer({ uid: 0, gid: 0, name: 'other' })];
      const [first, second] = [
        must(one.does.open(at('file'), O_RDWR | O_CREAT)),
        must(other.does.open(at('file'), O_RDWR)),
      ];
      must(one.does.lock(first, F_SETLK, F_WRLCK, 0, 1));
      must(other.does.lock(second, F_SETLK, F_WRLCK, 1, 1));
      const waiting = other.begin('lock', second, F_SETLKW, F_WRLCK, 0, 1);
      see('one waits', waiting.isOver(watchMs), false);
      const meeting = one.begin('lock', first, F_SETLKW, F_WRLCK, 1, 1);
      meeting.isOver(watchMs);
      other.end();
      const result = Number(meeting.result());
      see('the other', result < 0 ? result : 'waits, too');
      // One that was told lets the other have its turn, which ends when it does.
      see('and has it in the end', result < 0 ? lockSoon(one, first) : result, 0);
    },
    differences: {
      'the other': {
        why: 'locks are taken on the file below by the daemon, for which the kernel sees nobody wait',
        served: 'waits, too',
      },
    },
  },
  {
    name: 'locks of open file descriptions',
    play: ({ at, see, peer }) => {
      const one = must(calls.open(at('file'), O_RDWR | O_CREAT));
      const two = must(calls.open(at('file'), O_RDWR));
      see('of one', calls.lock(one, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
      see('of another in the same process', calls.lock(two, F_OFD_SETLK, F_WRLCK, 5, 1), 'EAGAIN');
      see('of a duplicate', calls.lock(must(calls.dup(one)), F_OFD_SETLK, F_WRLCK, 5, 1), 0);
      see('who has it', calls.getLock(two, F_OFD_GETLK, F_WRLCK, 0, 0));
      const { does, begin } = peer();
      const theirs = must(does.open(at('file'), O_RDWR));
      see('a POSIX lock of another process', does.lock(theirs, F_SETLK, F_WRLCK, 0, 1), 'EAGAIN');
      const waiting = begin('lock', theirs, F_OFD_SETLKW, F_WRLCK, 0, 1);
      see('one that waits', waiting.isOver(watchMs), false);
      see('gets it', [calls.lock(one, F_OFD_SETLK, F_UNLCK, 0, 0), waiting.result()], [0, 0]);
      see(
        'kept when others are closed',
        [does.close(must(does.open(at('file'), O_RDWR))), calls.lock(two, F_OFD_SETLK, F_RDLCK, 0, 1)],
        [0, 'EAGAIN'],
      );
      see('and lost with its own', [does.close(theirs), calls.lock(two, F_OFD_SETLK, F_RDLCK, 0, 1)], [0, 0]);
    },
  },
  {
    name: 'flock',
    play: ({ at, see, peer }) => {
      const one = must(calls.open(at('file'), O_RDWR | O_CREAT));
      const two = must(calls.open(at('file'), O_RDONLY));
      see('for one', calls.flock(one, LOCK_EX), 0);
      see('of another in the same process', calls.flock(two, LOCK_SH | LOCK_NB), 'EAGAIN');
      see('of a duplicate', calls.flock(must(calls.dup(one)), LOCK_EX | LOCK_NB), 0);
      const { does, begin } = peer();
      const theirs = must(does.open(at('file'), O_WRONLY));
      see('of another process', does.flock(theirs, LOCK_EX | LOCK_NB), 'EAGAIN');
      see('no POSIX lock', does.lock(theirs, F_SETLK, F_WRLCK, 0, 0), 0);
      const waiting = begin('flock', theirs, LOCK_EX);
      see('one that waits', waiting.isOver(watchMs), false);
      see('gets it', [calls.flock(one, LOCK_UN), waiting.result()], [0, 0]);
      see('has it', calls.flock(one, LOCK_SH | LOCK_NB), 'EAGAIN');
      see('lost with its descriptor', [does.close(theirs), calls.flock(two, LOCK_EX | LOCK_NB)], [0, 0]);
      see('and with a process', calls.flock(two, LOCK_UN), 0);
      const dying = peer({ uid: 0, gid: 0, name: 'dying' });
      must(dying.does.flock(must(dying.does.open(at('file'), O_RDWR)), LOCK_EX));
      see('of one that lives', calls.flock(one, LOCK_EX | LOCK_NB), 'EAGAIN');
      dying.end();
      see('of one that has ended', calls.flock(one, LOCK_EX), 0);
    },
  },
  {
    name: 'leases',
    play: ({ at, see }) => {
      const fd = must(calls.open(at('file'), O_RDONLY | O_CREAT));
      see('of a reader', calls.setLease(fd, F_RDLCK));
      see('given back', calls.setLease(fd, F_UNLCK));
    },
  },
];
