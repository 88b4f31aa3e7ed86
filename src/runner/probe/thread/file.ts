import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { FileSource } from '../../experiment.ts';
import { isErrno } from '../../../linux/syscall-error.ts';
import { mostBytes, textOfBytes } from './first-bytes.ts';
import { lookEvery, startLooking } from './looking.ts';
import type { Prober } from './prober.ts';
import type { Result } from './rounds.ts';

/** A file without waiting for it, should a FIFO stand there by now. */
const readOnly = constants.O_RDONLY | constants.O_NONBLOCK;

async function firstText(path: string): Promise<string> {
  const file = await open(path, readOnly);
  try {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(mostBytes), position: 0 });
    return textOfBytes(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

async function look(path: string): Promise<Result> {
  try {
    const found = await stat(path);
    const age = Math.max(Date.now() - found.mtimeMs, 0);
    const seen = { exists: true, size: found.size, age };
    if (!found.isFile()) return { values: seen };
    try {
      return { values: { ...seen, content: await firstText(path) } };
    } catch (error) {
      // That it is there is known, though it may not be read; unless it is gone by now.
      if (!isErrno(error, 'EACCES', 'EPERM', 'EIO')) throw error;
      return { values: seen, failure: isErrno(error, 'EIO') ? 'input/output error' : 'permission denied' };
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return { values: { exists: false } };
    throw error;
  }
}

/** What a file is and says. */
export const probeFile: Prober<FileSource> = ({ path, everyMs }, parts) => {
  const rounds = startLooking(lookEvery(everyMs), parts, () => look(path));
  return () => rounds.stop();
};
