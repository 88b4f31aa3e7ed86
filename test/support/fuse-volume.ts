import { afterAll } from 'vitest';
import { endVolumes } from './fuse-volume-process.ts';

/* Volumes for tests: whatever one leaves behind is ended after the last test of the file. */

export {
  cannotServe,
  type ServedVolume,
  startVolume,
  type VolumeOptions,
  type VolumeStatus,
} from './fuse-volume-process.ts';

afterAll(endVolumes);
