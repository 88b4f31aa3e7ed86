import { existsSync } from 'node:fs';
import path from 'node:path';

/** libfaketime of the Debian package; the folder carries the architecture. Undefined where it is not installed. */
export const faketime = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
  .map((folder) => path.join(folder, 'faketime/libfaketime.so.1'))
  .find((file) => existsSync(file));

/**
 * The environment of a program whose wall clock is as far off as a file says: `+0`, `-3d`. Its monotonic clocks stay as
 * they are, as they do when somebody sets the clock.
 */
export function fakeClock(control: string): NodeJS.ProcessEnv {
  return {
    LD_PRELOAD: faketime,
    FAKETIME_TIMESTAMP_FILE: control,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
}
