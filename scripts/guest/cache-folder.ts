import { homedir } from 'node:os';
import path from 'node:path';

/** Where kernels are kept: `GUEST_CACHE`, or a folder of the user's cache. It may be removed at any time. */
export function cacheFolder(): string {
  const { GUEST_CACHE: ours, XDG_CACHE_HOME: cache } = process.env;
  return ours ?? path.join(cache ?? path.join(homedir(), '.cache'), 'faultline-guest');
}
