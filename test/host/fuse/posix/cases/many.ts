import { O_RDONLY, O_RDWR, S_IFREG } from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import { type PosixCase, must } from '../../../../support/posix/scene.ts';
import { fileWith, statOf, textOf } from './common.ts';

/* More files than whoever serves them may have descriptors; not in the battery, as it takes a volume of its own. */

const folders = 210;
const perFolder = 100;
/** Each so many have something in them. */
const filledEvery = 50;

const names = Array.from({ length: folders * perFolder }, (_, index) => {
  const folder = Math.floor(index / perFolder);
  return { index, path: `folder-${folder}/file-${index}`, filled: index % filledEvery === 0 };
});

/** What is wrong with any of the files, by all the ways to look at them. */
function wrong(at: (name: string) => string, inodes: ReadonlyMap<number, bigint>): readonly string[] {
  return names.flatMap(({ index, path, filled }) => {
    const stat = calls.lstat(at(path));
    if (typeof stat === 'number') return [`${path}: errno ${-stat}`];
    const same = inodes.get(index) === stat.inode && stat.links === 1;
    const text = filled ? String(textOf(at(path))) : '';
    const fd = calls.open(at(path), O_RDONLY);
    const closed = calls.close(fd);
    return same && fd >= 0 && closed === 0 && text === (filled ? `file ${index}` : '') ? [] : [path];
  });
}

export const manyFilesCase: PosixCase = {
  name: '21,000 files',
  play: ({ at, see }) => {
    for (let folder = 0; folder < folders; folder++) must(calls.mkdir(at(`folder-${folder}`)));
    for (const { index, path, filled } of names) {
      if (filled) fileWith(at(path), `file ${index}`);
      else must(calls.mknod(at(path), S_IFREG | 0o644));
    }
    const held = must(calls.open(at('folder-0/file-0'), O_RDWR));
    const early = must(calls.open(at('folder-1/file-150'), O_RDONLY));
    const folder = must(calls.open(at('folder-2'), O_RDONLY));
    const inodes = new Map(names.map(({ index, path }) => [index, statOf(at(path)).inode]));
    see('inodes', new Set(inodes.values()).size, names.length);
    see('wrong at first', wrong(at, inodes), []);
    see('wrong again', wrong(at, inodes), []);
    const together = names.slice(0, 300).map(({ path }) => calls.open(at(path), O_RDONLY));
    see(
      '300 open at a time',
      together.filter((fd) => fd < 0),
      [],
    );
    for (const fd of together) calls.close(fd);
    see('one that was open all the time', [calls.pwrite(held, 'F', 0), calls.pread(held, 10, 0)], [1, 'File 0']);
    see('by its name', textOf(at('folder-0/file-0')), 'File 0');
    must(calls.unlink(at('folder-1/file-150')));
    see('one without a name', calls.pread(early, 20, 0), 'file 150');
    must(calls.rename(at('folder-2'), at('renamed')));
    see('in a renamed folder', textOf(at('renamed/file-250')), 'file 250');
    see('by a folder that was open', calls.readIn(folder, 'file-250'), 'file 250');
    for (let index = 3; index < folders; index += 2) must(calls.rename(at(`folder-${index}`), at(`other-${index}`)));
    const later = names.slice(300).filter(({ filled }) => filled);
    const moved = later.map(({ index, path }) => {
      const number = Math.floor(index / perFolder);
      return String(textOf(at(number % 2 === 1 ? path.replace('folder', 'other') : path))) === `file ${index}`;
    });
    see(
      'after every other folder was renamed',
      moved.filter((right) => !right),
      [],
    );
  },
};
