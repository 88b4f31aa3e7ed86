import {
  MAP_PRIVATE,
  MAP_SHARED,
  MS_SYNC,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import { type PosixCase, looks, must } from '../../../../support/posix/scene.ts';
import { fileWith, moved, statOf, textOf, tick } from './common.ts';

/* Files as memory: mmap(2), msync(2). */

const both = PROT_READ | PROT_WRITE;
const page = 4096;

export const memoryCases: readonly PosixCase[] = [
  {
    name: 'mmap, shared',
    play: ({ at, see }) => {
      fileWith(at('file'), 'm'.repeat(3 * page));
      const fd = must(calls.open(at('file'), O_RDWR));
      const map = must(calls.mmap(fd, 3 * page, both, MAP_SHARED));
      see('what is in it', calls.peek(map + page, 4), 'mmmm');
      see('written by write', [calls.pwrite(fd, 'write', page), calls.peek(map + page, 6)], [5, 'writem']);
      calls.poke(map, 'poked');
      see('written by memory', calls.pread(fd, 6, 0), 'pokedm');
      see('by a descriptor of its own', textOf(at('file')));
      calls.poke(map + 2 * page, 'third');
      see('msync', calls.msync(map, 3 * page, MS_SYNC), 0);
      see('after that', calls.pread(fd, 6, 2 * page), 'thirdm');
      const second = must(calls.mmap(fd, page, both, MAP_SHARED, 2 * page));
      see('a second map', calls.peek(second, 6), 'thirdm');
      calls.poke(second, 'T');
      see('is the same memory', calls.peek(map + 2 * page, 6), 'Thirdm');
      calls.close(fd);
      see('after its descriptor was closed', calls.peek(map, 6), 'pokedm');
      calls.poke(map, 'P');
      see('written then', calls.munmap(map, 3 * page), 0);
      see('is kept', (textOf(at('file')) as Buffer).subarray(0, 6), 'Pokedm');
      calls.munmap(second, page);
      see('its attributes', looks(calls.stat(at('file'))));
    },
  },
  {
    name: 'mmap, shared by two processes',
    play: ({ at, see, peer }) => {
      fileWith(at('file'), 'm'.repeat(page));
      const { does } = peer();
      const fd = must(calls.open(at('file'), O_RDWR));
      const theirFd = must(does.open(at('file'), O_RDWR));
      const map = must(calls.mmap(fd, page, both, MAP_SHARED));
      const theirs = must(does.mmap(theirFd, page, both, MAP_SHARED));
      calls.poke(map, 'ours');
      see('ours is seen by them', does.peek(theirs, 6), 'oursmm');
      does.poke(theirs + 10, 'theirs');
      see('theirs is seen by us', calls.peek(map + 8, 10), 'mmtheirsmm');
      see('read by them', does.pread(theirFd, 6, 0), 'oursmm');
      see('read by us', calls.pread(fd, 6, 10), 'theirs');
      see('written by them', [does.pwrite(theirFd, 'W', 0), calls.peek(map, 4)], [1, 'Wurs']);
      must(does.munmap(theirs, page));
      calls.munmap(map, page);
    },
  },
  {
    name: 'mmap, private',
    play: ({ at, see, peer }) => {
      fileWith(at('file'), 'p'.repeat(2 * page));
      const fd = must(calls.open(at('file'), O_RDONLY));
      const map = must(calls.mmap(fd, 2 * page, both, MAP_PRIVATE));
      see('what is in it', calls.peek(map, 4), 'pppp');
      calls.poke(map, 'mine');
      see('is ours', calls.peek(map, 5), 'minep');
      see('alone', calls.pread(fd, 5, 0), 'ppppp');
      const writer = must(peer().does.open(at('file'), O_WRONLY));
      see('another writes', [peer().does.pwrite(writer, 'new', 0), peer().does.pwrite(writer, 'new', page)], [3, 3]);
      see('our page stays', calls.peek(map, 5), 'minep');
      see('the other page is not ours', calls.peek(map + page, 4), 'newp');
      see('unmapped', calls.munmap(map, 2 * page), 0);
      see('the file', [calls.pread(fd, 4, 0), calls.pread(fd, 4, page)], ['newp', 'newp']);
    },
  },
  {
    name: 'mmap: what may be',
    play: ({ at, see, folder }) => {
      fileWith(at('file'), 'x');
      const reader = must(calls.open(at('file'), O_RDONLY));
      const writer = must(calls.open(at('file'), O_WRONLY));
      const result = (value: number): unknown => (value < 0 ? value : calls.munmap(value, page));
      see('of a reader, for writing', result(calls.mmap(reader, page, both, MAP_SHARED)), 'EACCES');
      see('of a reader, for reading', result(calls.mmap(reader, page, PROT_READ, MAP_SHARED)), 0);
      see('of a reader, private', result(calls.mmap(reader, page, both, MAP_PRIVATE)), 0);
      see('of a reader, to run', result(calls.mmap(reader, page, PROT_READ | PROT_EXEC, MAP_PRIVATE)), 0);
      see('of a writer', result(calls.mmap(writer, page, PROT_READ, MAP_SHARED)), 'EACCES');
      see('of a folder', result(calls.mmap(must(calls.open(folder, O_RDONLY)), page, PROT_READ, MAP_SHARED)), 'ENODEV');
      see('not from a page', result(calls.mmap(reader, page, PROT_READ, MAP_SHARED, 100)), 'EINVAL');
      const map = must(calls.mmap(reader, page, PROT_READ, MAP_SHARED));
      see('after the end there are zeros', calls.peek(map, 4));
      calls.munmap(map, page);
    },
  },
  {
    name: 'mmap of a file that changes its size or its name',
    play: ({ at, see }) => {
      fileWith(at('file'), 's'.repeat(page));
      const fd = must(calls.open(at('file'), O_RDWR));
      const map = must(calls.mmap(fd, 4 * page, both, MAP_SHARED));
      see('longer', calls.ftruncate(fd, 4 * page), 0);
      calls.poke(map + 3 * page, 'new page');
      see('the new page', calls.pread(fd, 10, 3 * page));
      see('appended', [calls.pwrite(fd, 'written', 2 * page), calls.peek(map + 2 * page, 8)]);
      see('cut in a page', [calls.ftruncate(fd, 100), calls.peek(map + 98, 4)]);
      see('and longer', [calls.ftruncate(fd, 4 * page), calls.peek(map + 98, 4), calls.peek(map + 3 * page, 4)]);
      must(calls.rename(at('file'), at('renamed')));
      calls.poke(map, 'renamed');
      see('renamed', (textOf(at('renamed')) as Buffer).subarray(0, 8), 'renameds');
      must(calls.unlink(at('renamed')));
      calls.poke(map, 'nameless');
      see('without a name', calls.pread(fd, 9, 0), 'namelesss');
      calls.close(fd);
      see('without a descriptor', calls.peek(map, 8), 'nameless');
      calls.munmap(map, 4 * page);
    },
  },
  {
    name: 'mmap of a large file, page by page',
    play: ({ at, see }) => {
      const size = 8 * 1024 * 1024;
      const fd = must(calls.open(at('file'), O_RDWR | O_CREAT));
      must(calls.ftruncate(fd, size));
      const map = must(calls.mmap(fd, size, both, MAP_SHARED));
      for (let at = 0; at < size; at += 16 * page) calls.poke(map + at, `page ${at}`);
      see('one of them', calls.pread(fd, 12, 512 * page));
      see('all of it', calls.pread(fd, size, 0));
      must(calls.pwrite(fd, 'z'.repeat(100_000), 1_000_000));
      see('as memory', calls.peek(map + 999_990, 100_020));
      see('unmapped', calls.munmap(map, size), 0);
      see('all of it then', calls.pread(fd, size, 0));
    },
  },
  {
    name: 'mmap and times',
    play: ({ at, see }) => {
      fileWith(at('file'), 't'.repeat(page));
      const fd = must(calls.open(at('file'), O_RDWR));
      const map = must(calls.mmap(fd, page, both, MAP_SHARED));
      tick();
      const before = statOf(at('file'));
      calls.poke(map, 'changed');
      calls.msync(map, page, MS_SYNC);
      see('written', moved(before, statOf(at('file'))));
      calls.munmap(map, page);
    },
    differences: {
      written: {
        why: 'a page that is first touched is read by the daemon, which counts as an access',
        when: ['targeted', 'without passthrough'],
      },
    },
  },
];
