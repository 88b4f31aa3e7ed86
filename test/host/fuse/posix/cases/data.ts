import {
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  O_APPEND,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import { type PosixCase, looks, must } from '../../../../support/posix/scene.ts';
import { KiB, MiB, GiB, pattern, fileWith, textOf } from './common.ts';

/* What files hold: read(2), write(2), lseek(2), truncate(2), fallocate(2). */

/** Alternating data and holes as lseek tells them. */
function extents(fd: number): readonly number[] {
  const found: number[] = [];
  for (let at = 0; ; ) {
    const data = calls.lseek(fd, at, SEEK_DATA);
    if (data < 0) return found;
    const hole = calls.lseek(fd, data, SEEK_HOLE);
    found.push(data, hole);
    at = hole;
  }
}

export const dataCases: readonly PosixCase[] = [
  {
    name: 'reads and writes of many sizes',
    play: ({ at, see }) => {
      const fd = must(calls.open(at('file'), O_RDWR | O_CREAT));
      const bytes = pattern(3 * MiB);
      for (const [size, offset] of [
        [1, 0],
        [4095, 1],
        [4097, 4096],
        [128 * KiB, 10_000],
        [MiB, 200_000],
        [2 * MiB + 17, 777_777],
      ] as const) {
        see(`write ${size} at ${offset}`, calls.pwrite(fd, bytes.subarray(0, size), offset), size);
        see(
          `read ${size} at ${offset}`,
          (calls.pread(fd, size, offset) as Buffer).equals(bytes.subarray(0, size)),
          true,
        );
      }
      see('all of it', calls.pread(fd, 4 * MiB, 0));
      see('at its end', calls.pread(fd, 100, 777_777 + 2 * MiB));
      see('beyond', calls.pread(fd, 100, 10 * MiB), '');
      see('its attributes', looks(calls.fstat(fd)));
    },
  },
  {
    name: 'positions',
    play: ({ at, see }) => {
      fileWith(at('file'), '0123456789');
      const fd = must(calls.open(at('file'), O_RDWR));
      const same = must(calls.dup(fd));
      const other = must(calls.open(at('file'), O_RDONLY));
      see('read', calls.read(fd, 3), '012');
      see('a duplicate has moved, too', calls.read(same, 3), '345');
      see('another open has not', calls.read(other, 3), '012');
      see('from the end', calls.lseek(fd, -2, SEEK_END), 8);
      see('from there', calls.lseek(same, -1, SEEK_CUR), 7);
      see('before the beginning', calls.lseek(fd, -1, SEEK_SET), 'EINVAL');
      see('beyond the end', calls.lseek(fd, 20, SEEK_SET), 20);
      see('written there', calls.write(fd, 'X'), 1);
      see('leaves a hole', textOf(at('file')));
      see('whence that is none', calls.lseek(fd, 0, 9), 'EINVAL');
      see('a pread moves nothing', [calls.pread(fd, 2, 0), calls.lseek(fd, 0, SEEK_CUR)], ['01', 21]);
    },
  },
  {
    name: 'truncate',
    play: ({ at, see }) => {
      fileWith(at('file'), '0123456789');
      const reader = must(calls.open(at('file'), O_RDONLY));
      const writer = must(calls.open(at('file'), O_RDWR));
      see('shorter', calls.truncate(at('file'), 4), 0);
      see('seen by an open file', calls.pread(reader, 20, 0), '0123');
      see('longer', calls.ftruncate(writer, 8), 0);
      see('filled with zeros', calls.pread(reader, 20, 0));
      see('its attributes', looks(calls.fstat(reader)));
      see('to a negative size', calls.truncate(at('file'), -1), 'EINVAL');
      must(calls.mkdir(at('folder')));
      see('of a folder', calls.truncate(at('folder'), 0), 'EISDIR');
      see('of what is not there', calls.truncate(at('absent'), 0), 'ENOENT');
      see('a page and a bit', [calls.pwrite(writer, 'z'.repeat(5000), 0), calls.ftruncate(writer, 4097)], [5000, 0]);
      see('and longer again', [calls.ftruncate(writer, 5000), calls.pread(reader, 10, 4092)]);
      const elsewhere = must(calls.open(at('file'), O_WRONLY));
      see('by a descriptor of its own', [calls.ftruncate(elsewhere, 1), calls.pread(reader, 10, 0)], [0, 'z']);
    },
  },
  {
    name: 'holes: SEEK_DATA and SEEK_HOLE',
    play: ({ at, see }) => {
      const fd = must(calls.open(at('file'), O_RDWR | O_CREAT));
      see('of nothing', [calls.lseek(fd, 0, SEEK_DATA), calls.lseek(fd, 0, SEEK_HOLE)], ['ENXIO', 'ENXIO']);
      must(calls.pwrite(fd, pattern(64 * KiB), 0));
      must(calls.pwrite(fd, pattern(64 * KiB), MiB));
      must(calls.ftruncate(fd, 3 * MiB));
      see('data and holes', extents(fd), [0, 64 * KiB, MiB, MiB + 64 * KiB]);
      see('after the last data', calls.lseek(fd, 2 * MiB, SEEK_DATA), 'ENXIO');
      see('in the last hole', calls.lseek(fd, 2 * MiB, SEEK_HOLE), 2 * MiB);
      see('beyond the end', calls.lseek(fd, 4 * MiB, SEEK_HOLE), 'ENXIO');
      see('where it stands then', calls.lseek(fd, 0, SEEK_CUR));
      must(calls.fsync(fd));
      see('blocks of it', (calls.fstat(fd) as { blocks: number }).blocks);
    },
  },
  {
    name: 'fallocate',
    play: ({ at, see }) => {
      const fd = must(calls.open(at('file'), O_RDWR | O_CREAT));
      see('longer', [calls.fallocate(fd, 0, 0, MiB), looks(calls.fstat(fd))]);
      see('blocks', (calls.fstat(fd) as { blocks: number }).blocks);
      see('beyond the size', [calls.fallocate(fd, FALLOC_FL_KEEP_SIZE, MiB, MiB), looks(calls.fstat(fd))]);
      see('blocks then', (calls.fstat(fd) as { blocks: number }).blocks);
      must(calls.pwrite(fd, pattern(MiB), 0));
      const punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
      see('a hole', calls.fallocate(fd, punch, 64 * KiB, 128 * KiB), 0);
      see(
        'is zeros',
        (calls.pread(fd, 128 * KiB, 64 * KiB) as Buffer).every((byte) => byte === 0),
        true,
      );
      see('around it', [calls.pread(fd, 8, 64 * KiB - 8), calls.pread(fd, 8, 192 * KiB)]);
      see('is told by lseek', calls.lseek(fd, 0, SEEK_HOLE), 64 * KiB);
      see('a hole of half pages', [calls.fallocate(fd, punch, 300_001, 9_999), calls.pread(fd, 4, 300_000)]);
      see('zeros', [calls.fallocate(fd, FALLOC_FL_ZERO_RANGE, 500_000, 1000), calls.pread(fd, 8, 499_996)]);
      see('a hole that makes longer', calls.fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10), 'EOPNOTSUPP');
      see('no length', calls.fallocate(fd, 0, 0, 0), 'EINVAL');
      see('by a reader', calls.fallocate(must(calls.open(at('file'), O_RDONLY)), 0, 0, 10), 'EBADF');
      see('all of it', calls.pread(fd, 2 * MiB, 0));
    },
  },
  {
    name: 'fallocate that moves bytes',
    on: ['ext4'],
    play: ({ at, see }) => {
      const fd = must(calls.open(at('file'), O_RDWR | O_CREAT));
      must(calls.pwrite(fd, pattern(256 * KiB), 0));
      see('collapse', calls.fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 64 * KiB, 64 * KiB));
      see('insert', calls.fallocate(fd, FALLOC_FL_INSERT_RANGE, 64 * KiB, 64 * KiB));
    },
    differences: {
      collapse: { why: 'fuse_file_fallocate of the kernel knows no such mode', served: 'EOPNOTSUPP' },
      insert: { why: 'fuse_file_fallocate of the kernel knows no such mode', served: 'EOPNOTSUPP' },
      'what is left': { why: 'nothing was moved' },
    },
  },
  {
    name: 'files of more than 4 GiB',
    play: ({ at, see }) => {
      const fd = must(calls.open(at('file'), O_RDWR | O_CREAT));
      see('grown', calls.ftruncate(fd, 6 * GiB), 0);
      see('its attributes', looks(calls.stat(at('file'))));
      for (const offset of [2 * GiB - 3, 4 * GiB - 3, 5 * GiB + 12_345]) {
        see(`written at ${offset}`, calls.pwrite(fd, pattern(6), offset), 6);
        see(`read at ${offset}`, calls.pread(fd, 8, offset - 1));
      }
      see('from the end', calls.lseek(fd, 0, SEEK_END), 6 * GiB);
      see('the last data', calls.lseek(fd, 4 * GiB + 64 * KiB, SEEK_DATA), 5 * GiB + 12_288);
      see('read at the end', calls.pread(fd, 100, 6 * GiB - 2));
      see('appended', [calls.setFlags(fd, O_APPEND), calls.write(fd, 'end'), calls.lseek(fd, 0, SEEK_CUR)]);
      see(
        'copied',
        calls.copyFileRange(fd, 4 * GiB - 3, must(calls.open(at('copy'), O_RDWR | O_CREAT)), 5 * GiB, 6),
        6,
      );
      see('the copy', looks(calls.stat(at('copy'))));
      see('larger than there can be', calls.ftruncate(fd, 2 ** 53));
      see('written where there can be nothing', calls.pwrite(must(calls.open(at('copy'), O_RDWR)), 'x', 2 ** 45));
    },
  },
];
