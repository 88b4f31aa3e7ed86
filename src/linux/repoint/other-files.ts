import { closeAnyhow, O_PATH, openAgain } from './descriptor-calls.ts';
import { isObstacle, type Obstacle } from './kept.ts';
import { attempt, type Door, reopen } from './reopen.ts';
import type { VolumePlace } from './volume-use.ts';

/*
 * What besides descriptors has to be opened: folders, and files for mapping them. They are needed for a moment only,
 * and serve all processes.
 */

/** A descriptor of ours. */
export interface Opened {
  readonly fd: number;
}

export interface OtherFiles {
  /** The same folder on the other side, with O_PATH. */
  folder(place: VolumePlace): Opened | Obstacle;
  /** The same file on the other side, for mapping it. */
  mappable(place: VolumePlace, writable: boolean): Opened | Obstacle;
  /** What a link of /proc means now, for going back; undefined where it cannot be opened again. */
  current(place: VolumePlace, link: string, flags: number): Opened | undefined;
  /** Closes all descriptors. */
  close(): void;
}

export const O_RDONLY = 0;
export const O_RDWR = 2;

export function openOtherFiles(door: Door): OtherFiles {
  const opened = openedOnce();
  return {
    folder: (place) => opened.get(`folder ${keyOf(place)}`, () => reopen(door, place, O_PATH)),
    mappable(place, writable) {
      const [name, flags] = writable ? (['rw', O_RDWR] as const) : (['ro', O_RDONLY] as const);
      return opened.get(`${name} ${keyOf(place)}`, () => reopen(door, place, flags));
    },
    current(place, link, flags) {
      // A file system that is dead opens nothing, but says where it is.
      if (!door.from.answers && (flags & O_PATH) === 0) return undefined;
      const found = opened.get(`current ${flags} ${keyOf(place)}`, () => attempt(() => openAgain(link, flags)));
      return isObstacle(found) ? undefined : found;
    },
    close: () => opened.close(),
  };
}

function keyOf({ mountId, inode }: VolumePlace): string {
  return `${mountId}:${inode}`;
}

/** Descriptors that are opened when they are first asked for. What could not be opened is tried again. */
function openedOnce(): {
  get(key: string, open: () => number | Obstacle): Opened | Obstacle;
  close(): void;
} {
  const opened = new Map<string, Opened>();
  return {
    get(key, open) {
      const known = opened.get(key);
      if (known !== undefined) return known;
      const result = open();
      if (typeof result !== 'number') return result;
      const made = Object.freeze({ fd: result });
      opened.set(key, made);
      return made;
    },
    close() {
      for (const { fd } of opened.values()) closeAnyhow(fd);
    },
  };
}
