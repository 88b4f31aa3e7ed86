import { asFaultlineError, type FaultlineError } from '../base/error.ts';

/*
 * A run is written down whole, again and again: what is known of it is small as long as it goes on. While one write is
 * on its way to the disk, the next ones become one.
 */

export interface Recorder {
  /** There is something new: write it soon. */
  touch(): void;
  /** Resolves when all that is known by now is on the disk. @throws {FaultlineError} STATE_… */
  written(): Promise<void>;
  /** Why something could not be written, if so. */
  failure(): FaultlineError | undefined;
  /** Write no more; resolves when nothing is on its way any more, so that nothing comes after the end. Never throws. */
  close(): Promise<void>;
}

/** @param write writes down all that is known at that moment */
export function openRecorder(write: () => Promise<void>): Recorder {
  let isStale = false;
  let isClosed = false;
  let writing: Promise<void> | undefined;
  let failed: FaultlineError | undefined;

  async function writeAll(): Promise<void> {
    try {
      while (isStale) {
        isStale = false;
        await write();
      }
    } finally {
      writing = undefined; // in the same turn: whoever comes next begins anew
    }
  }
  function begin(): Promise<void> {
    isStale = !isClosed;
    writing ??= Promise.resolve().then(writeAll);
    return writing;
  }
  return Object.freeze<Recorder>({
    touch: () => {
      begin().catch((error: unknown) => {
        failed ??= asFaultlineError(error);
      });
    },
    written: begin,
    failure: () => failed,
    close: async () => {
      isClosed = true;
      isStale = false;
      await writing?.catch(() => undefined);
    },
  });
}
