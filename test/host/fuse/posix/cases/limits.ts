import { O_APPEND, O_CREAT, O_RDWR, RLIMIT_FSIZE, SIGXFSZ } from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import { type PosixCase, looks, must } from '../../../../support/posix/scene.ts';
import { KiB, MiB, pattern, textOf } from './common.ts';

/* What there is no room for, and several who write at once: getrlimit(2), ENOSPC, O_APPEND. */

export const limitCases: readonly PosixCase[] = [
  {
    name: 'RLIMIT_FSIZE',
    play: ({ at, see }) => {
      const fd = must(calls.open(at('file'), O_RDWR | O_CREAT));
      calls.signal(SIGXFSZ, 1);
      must(calls.setLimit(RLIMIT_FSIZE, 10_000));
      see('up to it', calls.pwrite(fd, pattern(10_000), 0), 10_000);
      see('over it, in part', calls.pwrite(fd, pattern(4_000), 8_000), 2_000);
      see('behind it', calls.pwrite(fd, pattern(10), 10_000), 'EFBIG');
      see('truncated to it', calls.ftruncate(fd, 10_000), 0);
      see('truncated over it', calls.ftruncate(fd, 10_001), 'EFBIG');
      see('truncated over it by name', calls.truncate(at('file'), 20_000), 'EFBIG');
      see('allocated over it', calls.fallocate(fd, 0, 0, 20_000), 'EFBIG');
      see('appended', [calls.setFlags(fd, O_APPEND), calls.write(fd, 'x')], [0, 'EFBIG']);
      must(calls.setLimit(RLIMIT_FSIZE, undefined));
      see('without it', calls.write(fd, 'x'), 1);
      see('its size', looks(calls.fstat(fd)));
    },
  },
  {
    name: 'a file system that is full',
    play: ({ at, see }) => {
      const small = at('../small');
      const fd = must(calls.open(`${small}/file`, O_RDWR | O_CREAT));
      const bytes = pattern(64 * KiB);
      let written = 0;
      let last = 0;
      for (let count = 0; count < 20 && last >= 0; count++) {
        last = calls.pwrite(fd, bytes, written);
        if (last > 0) written += last;
      }
      see('written in all', written, 256 * KiB);
      see('then', last, 'ENOSPC');
      see('what statfs says', (calls.statfs(small) as { blocksFree: number }).blocksFree, 0);
      see('what is there is read', (calls.pread(fd, 64 * KiB, 128 * KiB) as Buffer).equals(bytes), true);
      see('allocated', calls.fallocate(fd, 0, MiB, MiB), 'ENOSPC');
      see('its size', looks(calls.fstat(fd)));
      see('over what is there', calls.pwrite(fd, 'x', 0), 1);
      see('a byte of another', calls.write(must(calls.open(`${small}/other`, O_RDWR | O_CREAT)), 'x'), 'ENOSPC');
      must(calls.ftruncate(fd, 0));
      see('with room again', calls.pwrite(fd, bytes, 0), 64 * KiB);
      const made = Array.from({ length: 60 }, (_, index) => calls.mkdir(`${small}/folder-${index}`));
      see('folders until there are too many', made);
      for (const [index] of made.entries()) calls.rmdir(`${small}/folder-${index}`);
      see('and again', calls.mkdir(`${small}/again`), 0);
      see('all taken away', [
        calls.rmdir(`${small}/again`),
        calls.unlink(`${small}/other`),
        calls.unlink(`${small}/file`),
      ]);
    },
  },
  {
    name: 'appending by several at once',
    leavesTheSame: false,
    play: ({ at, see, peer }) => {
      const letters = ['a', 'b', 'c'];
      const size = 700;
      const count = 200;
      const pending = letters.map((letter) =>
        peer({ uid: 0, gid: 0, name: letter }).begin('appendRecords', at('log'), letter, count, size),
      );
      see(
        'writes that failed',
        pending.map((one) => one.result()),
        [0, 0, 0],
      );
      const lines = (textOf(at('log')) as Buffer).toString('latin1').split('\n').slice(0, -1);
      see('records', lines.length, letters.length * count);
      see(
        'torn ones',
        lines.filter((line) => line !== (line[0] ?? '').repeat(size - 1)),
        [],
      );
      for (const letter of letters) {
        see(`records of ${letter}`, lines.filter((line) => line.startsWith(letter)).length, count);
      }
    },
  },
];
