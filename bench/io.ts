import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { cannotServe, endVolumes, type ServedVolume, startVolume } from '../test/support/fuse-volume-process.ts';
import { O_CREAT, O_DIRECT, O_EXCL, O_RDONLY, O_RDWR, O_WRONLY, S_IFREG } from '../test/support/posix/abi.ts';
import { calls } from '../test/support/posix/calls.ts';
import { type FileSystem, type Ground, prepareGround } from '../test/support/posix/file-system.ts';
import { kernel } from '../test/support/posix/kernel.ts';
import type { Figure } from './figure.ts';

/*
 * What a volume that is served through FUSE costs those who use it, when nobody disturbs anything: system calls of
 * this process, in a plain folder and on mounts over folders beside it, in turn. What a call from JavaScript costs is
 * taken off each time, as otherwise it would make all ratios look better than they are.
 */

const KiB = 1024;
const MiB = 1024 * KiB;
const fileSize = 32 * MiB;
const blockSize = 4 * KiB;
/** Short ones, so that many are not interrupted by others who use the machine; the fastest counts. */
const rounds = 40;
const untargetedCacheMs = 3_600_000;
const watching = path.resolve(import.meta.dirname, '../test/support/fuse-watching-interposer.ts');

/** A folder to work in, and what it is called. */
interface Place {
  readonly folder: string;
  readonly file: string;
}

/** Something that is done so many times, in µs for each. */
interface Work {
  readonly name: string;
  readonly times: number;
  /** System calls for each. */
  readonly calls: number;
  readonly run: (place: Place) => void;
  /** What comes before and after it, and is not timed. */
  readonly prepare?: (place: Place) => void;
  readonly cleanUp?: (place: Place) => void;
  /** Ratios to native that must be reached, by the way of serving. */
  readonly bounds: Readonly<Record<string, number>>;
}

const memory = calls.allocate(MiB);

function must(result: number): number {
  if (result < 0) throw new Error(`a system call has failed: errno ${-result}`);
  return result;
}

/** Blocks in an order that no read-ahead foresees: a multiplicative sequence through all of them. */
function offsetOf(index: number): number {
  return ((index * 2_654_435_761) % (fileSize / blockSize)) * blockSize;
}

const blockOperations = 200;
const sequentialOperations = 8;
const metadataFiles = 40;

let opened = -1;

/** Work on one file that is open already. */
function onFile(
  flags: number,
  times: number,
  operate: (fd: number, index: number) => number,
): Pick<Work, 'times' | 'calls' | 'prepare' | 'run' | 'cleanUp'> {
  return {
    times,
    calls: 1,
    prepare: ({ file }) => {
      opened = must(calls.open(file, flags));
      must(operate(opened, 0));
    },
    run: () => {
      for (let index = 0; index < times; index++) must(operate(opened, index));
    },
    cleanUp: () => calls.close(opened),
  };
}

const metadataBounds = { untargeted: 0.07, targeted: 0.07 };
const fileNames = Array.from({ length: metadataFiles }, (_, index) => `file-${index}`);

function eachFile(deed: (file: string) => number): (place: Place) => void {
  return ({ folder }) => {
    for (const name of fileNames) must(deed(`${folder}/${name}`));
  };
}

const createAll = eachFile((file) => {
  const fd = must(calls.open(file, O_CREAT | O_EXCL | O_WRONLY));
  must(calls.pwriteFrom(fd, memory, blockSize, 0));
  return calls.close(fd);
});

const removeAll = eachFile((file) => calls.unlink(file));

const works: readonly Work[] = [
  {
    name: '4 KiB direct random read',
    ...onFile(O_RDONLY | O_DIRECT, blockOperations, (fd, index) =>
      calls.preadInto(fd, memory, blockSize, offsetOf(index)),
    ),
    bounds: { untargeted: 0.8, targeted: 0.1 },
  },
  {
    name: '4 KiB direct random write',
    ...onFile(O_WRONLY | O_DIRECT, blockOperations, (fd, index) =>
      calls.pwriteFrom(fd, memory, blockSize, offsetOf(index)),
    ),
    bounds: { untargeted: 0.8 },
  },
  {
    name: '1 MiB sequential read',
    ...onFile(O_RDONLY, sequentialOperations, (fd, index) =>
      calls.preadInto(fd, memory, MiB, (index * MiB) % fileSize),
    ),
    bounds: { untargeted: 0.95 },
  },
  {
    name: '1 MiB sequential write',
    ...onFile(O_RDWR, sequentialOperations, (fd, index) => calls.pwriteFrom(fd, memory, MiB, (index * MiB) % fileSize)),
    bounds: { untargeted: 0.95 },
  },
  {
    name: 'create, write 4 KiB, close',
    times: metadataFiles,
    calls: 3,
    run: createAll,
    cleanUp: removeAll,
    bounds: metadataBounds,
  },
  {
    name: 'stat',
    times: metadataFiles,
    calls: 1,
    prepare: createAll,
    run: eachFile((file) => (typeof calls.stat(file) === 'number' ? -1 : 0)),
    cleanUp: removeAll,
    bounds: metadataBounds,
  },
  {
    name: 'open, read 4 KiB, close',
    times: metadataFiles,
    calls: 3,
    prepare: createAll,
    run: eachFile((file) => {
      const fd = must(calls.open(file, O_RDONLY));
      must(calls.preadInto(fd, memory, blockSize, 0));
      return calls.close(fd);
    }),
    cleanUp: removeAll,
    bounds: metadataBounds,
  },
  {
    name: 'rename',
    times: metadataFiles,
    calls: 1,
    prepare: createAll,
    run: eachFile((file) => calls.rename(file, `${file}-renamed`)),
    cleanUp: eachFile((file) => calls.unlink(`${file}-renamed`)),
    bounds: metadataBounds,
  },
  { name: 'unlink', times: metadataFiles, calls: 1, prepare: createAll, run: removeAll, bounds: metadataBounds },
];

function timeUs(work: () => void): number {
  const begin = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - begin) / 1000;
}

/** labs(3), given the arguments of pread(2), of which it looks at the first: any call from here costs that much. */
const doNothing = kernel('labs', ['int', 'ulong', 'size_t', 'long'], 'long');

function callNothing(): void {
  for (let index = 0; index < blockOperations; index++) doNothing(0, memory, blockSize, 0);
}

interface Volumes {
  readonly native: Place;
  readonly served: readonly (readonly [string, Place])[];
}

function placeIn(folder: string, below = folder): Place {
  const fd = must(calls.open(path.join(below, 'data'), O_CREAT | O_WRONLY));
  for (let offset = 0; offset < fileSize; offset += MiB) must(calls.pwriteFrom(fd, memory, MiB, offset));
  must(calls.fsync(fd));
  calls.close(fd);
  return { folder, file: path.join(folder, 'data') };
}

function foldersFor(ground: Ground, name: string): { readonly source: string; readonly mount: string } {
  const source = path.join(ground.folder, `${name}-below`);
  const mount = path.join(ground.folder, name);
  for (const folder of [source, mount]) mkdirSync(folder);
  return { source, mount };
}

async function serveAll(ground: Ground): Promise<{ readonly places: Volumes; readonly volumes: ServedVolume[] }> {
  const native = path.join(ground.folder, 'native');
  mkdirSync(native);
  const [untargeted, targeted] = [foldersFor(ground, 'untargeted'), foldersFor(ground, 'targeted')];
  const volumes = [
    await startVolume({ ...untargeted, cacheMs: untargetedCacheMs }),
    await startVolume({ ...targeted, interposerModule: watching }),
  ];
  const places: Volumes = {
    native: placeIn(native),
    served: [
      ['untargeted', placeIn(untargeted.mount, untargeted.source)],
      ['targeted', placeIn(targeted.mount, targeted.source)],
    ],
  };
  return { places, volumes };
}

/** The fastest round of each, in µs for an operation; in turn, so that none has the machine for itself. */
function fastest(work: Work, places: readonly (readonly [string, Place])[]): ReadonlyMap<string, number> {
  const best = new Map<string, number>();
  const note = (name: string, us: number): void => {
    best.set(name, Math.min(us, best.get(name) ?? Number.POSITIVE_INFINITY));
  };
  for (let round = 0; round < rounds; round++) {
    note('call', timeUs(callNothing) / blockOperations);
    for (const [way, place] of places) {
      work.prepare?.(place);
      note(way, timeUs(() => work.run(place)) / work.times);
      work.cleanUp?.(place);
    }
  }
  return best;
}

function measure(fileSystem: FileSystem, { native, served }: Volumes): Figure[] {
  return works.flatMap((work) => {
    const best = fastest(work, [['native', native], ...served]);
    const costUs = (way: string): number => (best.get(way) ?? Number.NaN) - work.calls * (best.get('call') ?? 0);
    const name = `${fileSystem}, ${work.name}`;
    return [
      { name: `${name}: native`, value: costUs('native'), unit: 'µs' },
      ...served.map(([way]) => ratioFigure(name, way, costUs('native') / costUs(way), work.bounds[way])),
    ];
  });
}

function ratioFigure(name: string, way: string, value: number, bound: number | undefined): Figure {
  const figure = { name: `${name}: ${way}, of native speed`, value, unit: '×' };
  return bound === undefined ? figure : { ...figure, bound: `≥ ${bound} ×` };
}

async function speed(fileSystem: FileSystem): Promise<Figure[]> {
  const ground = prepareGround(fileSystem);
  const volumes: ServedVolume[] = [];
  try {
    const { places, volumes: started } = await serveAll(ground);
    volumes.push(...started);
    return measure(fileSystem, places);
  } finally {
    for (const volume of volumes) await volume.end();
    await endVolumes();
    ground.remove();
  }
}

const seenFiles = 100_000;
const perFolder = 1_000;

function lookAtAll(folder: string): void {
  for (const name of calls.list(folder) as string[]) {
    for (const file of calls.list(`${folder}/${name}`) as string[]) calls.lstat(`${folder}/${name}/${file}`);
  }
}

/** What the daemon takes when the kernel knows very many files, and whether that grows. */
async function memoryOfDaemon(): Promise<Figure[]> {
  const ground = prepareGround('tmpfs');
  try {
    const folders = foldersFor(ground, 'many');
    for (let index = 0; index < seenFiles; index++) {
      const folder = path.join(folders.source, String(Math.floor(index / perFolder)));
      if (index % perFolder === 0) mkdirSync(folder);
      must(calls.mknod(`${folder}/${index}`, S_IFREG | 0o644));
    }
    const volume = await startVolume({ ...folders, cacheMs: untargetedCacheMs });
    const MiBAfter = async (): Promise<number> => {
      lookAtAll(folders.mount);
      const { nodes, residentBytes } = await volume.status();
      if (nodes < seenFiles) throw new Error(`only ${nodes} files were seen`);
      return residentBytes / MiB;
    };
    const [first, second] = [await MiBAfter(), await MiBAfter()];
    await volume.end();
    const files = `${seenFiles.toLocaleString('en')} files`;
    return [
      { name: `memory of the daemon, ${files} seen`, value: first, unit: 'MiB', bound: '≤ 200 MiB' },
      { name: 'seen once more', value: second, unit: 'MiB', bound: 'the same' },
    ];
  } finally {
    await endVolumes();
    ground.remove();
  }
}

export async function run(): Promise<readonly Figure[]> {
  const reason = cannotServe();
  if (reason !== undefined) {
    console.log(`  !!! SKIPPED: ${reason}`);
    return [];
  }
  return [...(await speed('tmpfs')), ...(await speed('ext4')), ...(await memoryOfDaemon())];
}
