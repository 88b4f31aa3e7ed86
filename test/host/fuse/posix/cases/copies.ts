import {
  O_APPEND,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  RWF_APPEND,
  RWF_DSYNC,
  SEEK_CUR,
} from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import { type PosixCase, looks, must } from '../../../../support/posix/scene.ts';
import { MiB, pattern, fileWith, textOf } from './common.ts';

/* Bytes that go from file to file in the kernel: copy_file_range(2), sendfile(2), splice(2), ioctl_ficlone(2). */

export const copyCases: readonly PosixCase[] = [
  {
    name: 'copy_file_range',
    play: ({ at, see }) => {
      const bytes = pattern(3 * MiB);
      fileWith(at('from'), bytes);
      const from = must(calls.open(at('from'), O_RDONLY));
      const to = must(calls.open(at('to'), O_RDWR | O_CREAT));
      let done = 0;
      while (done < bytes.length) {
        const count = must(calls.copyFileRange(from, done, to, done, bytes.length - done));
        if (count === 0) break;
        done += count;
      }
      see('copied', done, bytes.length);
      see('is the same', (calls.pread(to, 4 * MiB, 0) as Buffer).equals(bytes), true);
      see('at the end', calls.copyFileRange(from, bytes.length, to, 0, 100), 0);
      see('over the end', calls.copyFileRange(from, bytes.length - 10, to, 0, 100), 10);
      see(
        'by positions',
        [calls.copyFileRange(from, undefined, to, undefined, 5), calls.lseek(from, 0, SEEK_CUR)],
        [5, 5],
      );
      see('of one file', [calls.copyFileRange(to, 0, to, 2 * MiB, 1000), calls.pread(to, 8, 2 * MiB)]);
      see('onto itself', calls.copyFileRange(to, 0, to, 10, 100), 'EINVAL');
      see('to a reader', calls.copyFileRange(to, 0, from, 0, 10), 'EBADF');
      see(
        'to an appender',
        calls.copyFileRange(from, 0, must(calls.open(at('to'), O_WRONLY | O_APPEND)), 0, 10),
        'EBADF',
      );
      see('of a folder', calls.copyFileRange(must(calls.open(at('.'), O_RDONLY)), 0, to, 0, 10), 'EISDIR');
      see('nothing', calls.copyFileRange(from, 0, to, 0, 0), 0);
      see('far behind the end', [calls.copyFileRange(from, 0, to, 5 * MiB, 10), looks(calls.fstat(to))]);
      see('what is read', calls.pread(to, 6 * MiB, 0));
    },
  },
  {
    name: 'sendfile and splice',
    play: ({ at, see }) => {
      const bytes = pattern(300_000);
      fileWith(at('from'), bytes);
      const from = must(calls.open(at('from'), O_RDONLY));
      const to = must(calls.open(at('to'), O_RDWR | O_CREAT));
      let sent = 0;
      while (sent < bytes.length) {
        const count = must(calls.sendfile(to, from, undefined, bytes.length - sent));
        if (count === 0) break;
        sent += count;
      }
      see('sent', [sent, calls.lseek(to, 0, SEEK_CUR)], [bytes.length, bytes.length]);
      see('is the same', (calls.pread(to, bytes.length, 0) as Buffer).equals(bytes), true);
      const [reading, writing] = calls.pipe();
      see('into a pipe', calls.splice(from, 1000, writing, undefined, 4000), 4000);
      see('out of the pipe', calls.splice(reading, undefined, to, 400_000, 4000), 4000);
      see('is the same, too', (calls.pread(to, 4000, 400_000) as Buffer).equals(bytes.subarray(1000, 5000)), true);
      see('at the end', calls.splice(from, bytes.length, writing, undefined, 10), 0);
      see('its size', looks(calls.fstat(to)));
      calls.close(reading);
      calls.close(writing);
    },
  },
  {
    name: 'pwritev2',
    play: ({ at, see }) => {
      fileWith(at('file'), 'hello');
      const fd = must(calls.open(at('file'), O_RDWR));
      const memory = must(calls.allocate(4096));
      calls.poke(memory, ' world');
      see('RWF_APPEND', calls.pwritev2(fd, memory, 6, 0, RWF_APPEND), 6);
      see('went to the end', textOf(at('file')), 'hello world');
      see('RWF_DSYNC', [calls.pwritev2(fd, memory + 1, 5, 0, RWF_DSYNC), textOf(at('file'))], [5, 'world world']);
      see('a flag that is none', calls.pwritev2(fd, memory, 1, 0, 0x4000_0000), 'EOPNOTSUPP');
    },
  },
  {
    name: 'cloning',
    play: ({ at, see }) => {
      fileWith(at('from'), 'hello');
      see('FICLONE', calls.clone(must(calls.open(at('to'), O_RDWR | O_CREAT)), must(calls.open(at('from'), O_RDONLY))));
    },
  },
];
