import path from 'node:path';
import type { VolumeOptions } from '../fuse-volume-process.ts';

/** How a volume may be served when nobody disturbs anything. */
export interface Way {
  readonly name: string;
  readonly options: Omit<VolumeOptions, 'source' | 'mount'>;
}

const interposerModule = path.resolve(import.meta.dirname, '../fuse-watching-interposer.ts');

export const ways: readonly Way[] = [
  // As long as others may use the folder below: the kernel asks each time.
  { name: 'untargeted', options: {} },
  // Once all who use it are on the mount.
  { name: 'untargeted and cached', options: { cacheMs: 3_600_000 } },
  { name: 'targeted', options: { interposerModule } },
  // As by kernels before 6.9.
  { name: 'without passthrough', options: { passthrough: false, cacheMs: 3_600_000 } },
];
