import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { cannotServe, endVolumes, type ServedVolume, startVolume } from '../test/support/fuse-volume-process.ts';
import { O_CREAT, O_DIRECT, O_EXCL, O_RDONLY, O_RDWR, O_WRONLY, S_IFREG } from '../test/support/posix/abi.ts';
import { calls } from '../test/support/posix/calls.ts';
import { type FileSystem, type Ground, prepareGround } from '../test/support/posix/file-system.ts';
import type { Figure } from './figure.ts';

/*
 * What a volume that is served through FUSE costs those who use it, when nobody disturbs anything: system calls of this
 * process, in a plain folder and on mounts over folders beside it, in turn. The cost of a call from JavaScript, measured
 * by one that fails at once, is taken off each time, as otherwise it would make all ratios look better than they are.
 */

const KiB = 1024;
const MiB = 1024 * KiB;
const fileSize = 32 * MiB;
const blockSize = 4 * KiB;
const rounds = 9;
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
  readonly run: (place: Place) => void;
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

const blockOperations = 2_000;
const sequentialOperations = 32;
const metadataFiles = 250;

function withFile(
  flags: number,
  times: number,
  operate: (fd: number, index: number) => number,
): (place: Place) => void {
  return ({ file }) => {
    const fd = must(calls.open(file, flags));
    for (let index = 0; index < times; index++) must(operate(fd, index));
    calls.close(fd);
  };
}

const works: readonly Work[] = [
  {
    name: '4 KiB direct random read',
    times: blockOperations,
    run: withFile(O_RDONLY | O_DIRECT, blockOperations, (fd, index) =>
      calls.preadInto(fd, memory, blockSize, offsetOf(index)),
    ),
    bounds: { untargeted: 0.8, targeted: 0.1 },
  },
  {
    name: '4 KiB direct random write',
    times: blockOperations,
    run: withFile(O_WRONLY | O_DIRECT, blockOperations, (fd, index) =>
      calls.pwriteFrom(fd, memory, blockSize, offsetOf(index)),
    ),
    bounds: { untargeted: 0.8 },
  },
  {
    name: '1 MiB sequential read',
    times: sequentialOperations,
    run: withFile(O_RDONLY, sequentialOperations, (fd, index) =>
      calls.preadInto(fd, memory, MiB, (index * MiB) % fileSize),
    ),
    bounds: { untargeted: 0.95 },
  },
  {
    name: '1 MiB sequential write',
    times: sequentialOperations,
    run: withFile(O_RDWR, sequentialOperations, (fd, index) =>
      calls.pwriteFrom(fd, memory, MiB, (index * MiB) % fileSize),
    ),
    bounds: { untargeted: 0.95 },
  },
  {
    name: 'create, stat and unlink',
    times: metadataFiles * 4,
    run: ({ folder }) => {
      const names = Array.from({ length: metadataFiles }, (_, index) => `${folder}/file-${index}`);
      for (const name of names) calls.close(must(calls.open(name, O_CREAT | O_EXCL | O_WRONLY)));
      for (const name of names) calls.stat(name);
      for (const name of names) must(calls.unlink(name));
    },
    bounds: { untargeted: 0.07, targeted: 0.07 },
  },
];

function timeUs(work: () => void): number {
  const begin = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - begin) / 1000;
}

/** What a call costs that the kernel refuses at once. */
function callUs(): number {
  const times = 10_000;
  return (
    fastest(() => {
      for (let index = 0; index < times; index++) calls.preadInto(-1, memory, blockSize, 0);
    }) / times
  );
}

/** The fastest of several rounds, in µs: others on the machine make it slower, and nothing makes it faster. */
function fastest(work: () => void): number {
  return Math.min(...Array.from({ length: rounds }, () => timeUs(work)));
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

function measure(fileSystem: FileSystem, { native, served }: Volumes): Figure[] {
  const overheadUs = callUs();
  return works.flatMap((work) => {
    const places = [['native', native] as const, ...served];
    const best = new Map<string, number>();
    for (let round = 0; round < rounds; round++) {
      for (const [way, place] of places) {
        const us = timeUs(() => work.run(place)) / work.times - overheadUs;
        best.set(way, Math.min(us, best.get(way) ?? Number.POSITIVE_INFINITY));
      }
    }
    const name = `${fileSystem}, ${work.name}`;
    const nativeUs = best.get('native') ?? Number.NaN;
    return [
      { name: `${name}: native`, value: nativeUs, unit: 'µs' },
      ...served.map(([way]) => ratioFigure(name, way, nativeUs / (best.get(way) ?? Number.NaN), work.bounds[way])),
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
    const volume = await startVolume(folders);
    const MiBAfter = async (): Promise<number> => {
      lookAtAll(folders.mount);
      return (await volume.status()).residentBytes / MiB;
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
