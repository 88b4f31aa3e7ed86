import { readdirSync, readFileSync } from 'node:fs';
import { unescapeOctal } from '../mount-table.ts';
import { displayPath, pathInVolume, type VolumeSide } from './volume-side.ts';
import { unlessGone } from './volume-place.ts';

/** A file of the volume that the kernel itself uses, so that no process holds it and nothing can move it. */
export interface KernelHolder {
  readonly by: 'swap' | 'loop-device';
  /** The whole path, as text. */
  readonly path: string;
  /** `/dev/loop3`; '' for swap. */
  readonly device: string;
}

/** Files of the volume that are swapped to, or that stand behind loop devices: proc(5), /sys/block/loop*. */
export function findKernelHolders(side: VolumeSide): KernelHolder[] {
  return [...swapFiles(), ...loopFiles()].filter(({ bytes }) => pathInVolume(side, bytes) !== undefined).map(told);
}

interface Found {
  readonly by: KernelHolder['by'];
  readonly bytes: string;
  readonly device: string;
}

function told({ by, bytes, device }: Found): KernelHolder {
  return Object.freeze({ by, path: displayPath(bytes), device });
}

/** /proc/swaps: a line of headings, then a path, with octal escapes, and its type. */
function swapFiles(): Found[] {
  const lines = (unlessGone(() => readFileSync('/proc/swaps', 'latin1')) ?? '').split('\n').slice(1);
  return lines.flatMap((line) => {
    const [path, type] = line.split(/\s+/u);
    return path !== undefined && type === 'file' ? [{ by: 'swap', bytes: unescapeOctal(path), device: '' }] : [];
  });
}

function loopFiles(): Found[] {
  const names = unlessGone(() => readdirSync('/sys/block')) ?? [];
  return names.flatMap((name) => {
    if (!name.startsWith('loop')) return [];
    const path = unlessGone(() => readFileSync(`/sys/block/${name}/loop/backing_file`, 'latin1'));
    return path === undefined ? [] : [{ by: 'loop-device', bytes: path.trimEnd(), device: `/dev/${name}` }];
  });
}
