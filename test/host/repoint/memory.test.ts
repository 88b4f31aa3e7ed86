import { copyFileSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { capabilityNames } from '../../../src/linux/capabilities.ts';
import { readStatus } from '../../../src/linux/procfs/status.ts';
import { inspect } from '../../../src/linux/repoint/volume-users.ts';
import { coveredBy, canMove, only, sideOf, startTalker, testVolume } from './lab.ts';
import { startSwapper } from './swapper.ts';

describe.skipIf(!canMove)('memory maps', () => {
  test('shared and private ones keep what was written to them, and their properties', async () => {
    const { volume, one, swapper, scope } = await coveredBy(`
PAGE = mmap.PAGESIZE
def fresh(name, pages):
    fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
    os.write(fd, b''.join(bytes([(65 + i) % 256]) * PAGE for i in range(pages)))
    return fd
fd = fresh('shared', 8)
shared = mmap.mmap(fd, 4 * PAGE, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=2 * PAGE)
reader = mmap.mmap(fd, 8 * PAGE, mmap.MAP_SHARED, mmap.PROT_READ)
os.close(fd)
fd = fresh('private', 300)
private = mmap.mmap(fd, 300 * PAGE, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
os.close(fd)
shared[0:3] = b'one'
for page in (0, 1, 2, 150, 299):
    private[page * PAGE:page * PAGE + 5] = b'dirty'
private.madvise(mmap.MADV_DONTFORK)
start = ctypes.addressof(ctypes.c_char.from_buffer(private))
assert libc.mprotect(ctypes.c_void_p(start + 2 * PAGE), PAGE, 1) == 0
assert libc.mlock(ctypes.c_void_p(start), PAGE) == 0
def flags():
    found, here = {}, None
    for line in open('/proc/self/smaps'):
        if '-' in line.split(' ')[0]:
            here = line.split(' ')[:3] if '/private' in line else None
        elif here and line.startswith('VmFlags'):
            # ac: what it counts for, which another map of the same file need not.
            found[tuple(here)] = [flag for flag in line.split() if flag != 'ac']
    return found
before = flags()
`);
    for (const [index, towards] of (['overlay', 'original', 'overlay', 'original'] as const).entries()) {
      const report = only(await swapper.order({ towards, scope }));
      // Four of the private one: the page that is locked, and before, in and behind the one that may not be written to.
      expect(report).toMatchObject({ outcome: 'moved', kept: [], moved: { maps: 6 } });
      expect(inspect(sideOf(volume, towards === 'overlay' ? 'original' : 'overlay'), one.pid)).toBeUndefined();
      expect(await one.ask('[private[p * PAGE:p * PAGE + 6] for p in (0, 1, 2, 3)]')).toBe(
        "[b'dirtyA', b'dirtyB', b'dirtyC', b'DDDDDD']",
      );
      expect(await one.ask("private[150 * PAGE:151 * PAGE] == b'dirty' + bytes([65 + 150]) * (PAGE - 5)")).toBe('True');
      expect(await one.ask('private[299 * PAGE:299 * PAGE + 5], shared[0:4]')).toBe("(b'dirty', b'oneC')");
      expect(await one.ask('flags() == before')).toBe('True');
      expect(await one.ask(`shared.__setitem__(PAGE, 48 + ${index}), reader[3 * PAGE]`)).toBe(`(None, ${48 + index})`);
    }
    const page = Number(await one.ask('PAGE'));
    const file = readFileSync(join(volume.path, 'shared'));
    expect(file.toString('latin1', 2 * page, 2 * page + 4)).toBe('oneC');
    expect(file[3 * page]).toBe('3'.charCodeAt(0));
    expect(readFileSync(join(volume.path, 'private')).includes('dirty')).toBe(false);
  });

  test('go on growing with their file', async () => {
    const { one, swapper, scope } = await coveredBy(`
PAGE = mmap.PAGESIZE
fd = os.open('grows', os.O_RDWR | os.O_CREAT, 0o644)
os.ftruncate(fd, PAGE)
# More than the file has: mmap.mmap would refuse.
libc.mmap.restype = ctypes.c_void_p
start = libc.mmap(None, ctypes.c_size_t(4 * PAGE), 3, 1, fd, ctypes.c_long(0))
`);
    expect(only(await swapper.order({ towards: 'overlay', scope }))).toMatchObject({ outcome: 'moved', kept: [] });
    await one.ask("os.ftruncate(fd, 4 * PAGE), os.pwrite(fd, b'grown', 3 * PAGE)");
    expect(await one.ask('ctypes.string_at(start + 3 * PAGE, 5)')).toBe("b'grown'");
    expect(only(await swapper.order({ towards: 'original', scope }))).toMatchObject({ outcome: 'moved', kept: [] });
    await one.ask("ctypes.memmove(start + 2 * PAGE, b'by map', 6)");
    expect(await one.ask('os.pread(fd, 6, 2 * PAGE)')).toBe("b'by map'");
  });

  test('of a program that runs from the volume stay there, and come back from the overlay', async () => {
    const volume = testVolume();
    copyFileSync(realpathSync('/bin/cat'), join(volume.path, 'original-cat'));
    copyFileSync(realpathSync('/bin/cat'), join(volume.path, 'overlay-cat'));
    const before = await startTalker(join(volume.path, 'original-cat'), []);
    volume.cover();
    const during = await startTalker(join(volume.path, 'overlay-cat'), []);
    expect(await during.ask('it runs')).toBe('it runs');
    const swapper = await startSwapper(volume);
    const scope = { kind: 'pids', pids: [before.pid, during.pid] } as const;
    const there = only(await swapper.order({ towards: 'overlay', scope }));
    expect(there).toMatchObject({ pid: before.pid, outcome: 'kept', pauseUs: 0 });
    expect(new Set(there.kept.map(({ reason }) => reason))).toEqual(new Set(['program']));
    const back = only(await swapper.order({ towards: 'original', scope }));
    expect(back).toMatchObject({ pid: during.pid, outcome: 'moved' });
    expect(back.moved.maps).toBeGreaterThan(1);
    // Changing the link to the program takes a capability of the target's, which root in a container may lack.
    const mayChangeProgram = capabilityNames(readStatus(during.pid)?.effectiveCapabilities ?? 0n).has(
      'CAP_SYS_RESOURCE',
    );
    const allowed = { kept: [], there: undefined, here: 'overlay-cat' };
    const refused = { kept: [['executable', 'not-allowed', 'EPERM']], there: 'overlay-cat', here: undefined };
    expect({
      kept: back.kept.map(({ what, reason, detail }) => [what, reason, detail]),
      there: inspect(sideOf(volume, 'overlay'), during.pid)?.executable?.relative,
      here: inspect(sideOf(volume, 'original'), during.pid)?.executable?.relative,
    }).toEqual(mayChangeProgram ? allowed : refused);
    expect(await during.ask('and goes on')).toBe('and goes on');
  });
});

describe.skipIf(!canMove)('root and working directory', () => {
  test('of a program that was locked up in the volume', async () => {
    const { volume, one, swapper, scope } = await coveredBy(`
os.makedirs('jail/inner')
os.chroot('jail')
os.chdir('/inner')
`);
    for (const towards of ['overlay', 'original'] as const) {
      const report = only(await swapper.order({ towards, scope }));
      expect(report).toMatchObject({ outcome: 'moved', kept: [], moved: { workingDirectories: 1, roots: 1 } });
      expect(inspect(sideOf(volume, towards === 'overlay' ? 'original' : 'overlay'), one.pid)).toBeUndefined();
      expect(await one.ask("os.getcwd(), os.listdir('/')")).toBe("('/inner', ['inner'])");
    }
  });

  test('stay where it may not have its root moved, lest it get out', async () => {
    const { one, swapper, scope } = await coveredBy(`
os.makedirs('jail/inner')
os.chroot('jail')
os.chdir('/inner')
fd = os.open('/file', os.O_RDWR | os.O_CREAT)
folder = os.open('/inner', os.O_RDONLY)
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
`);
    const report = only(await swapper.order({ towards: 'overlay', scope }));
    expect(report).toMatchObject({ outcome: 'moved', moved: { descriptors: 1, workingDirectories: 0, roots: 0 } });
    expect(new Set(report.kept.map(({ what, reason }) => `${what}: ${reason}`))).toEqual(
      new Set(['descriptor: not-allowed', 'root: not-allowed', 'working-directory: not-allowed']),
    );
    expect(await one.ask("os.stat('..', dir_fd=folder).st_ino == os.stat('/').st_ino")).toBe('True');
    expect(await one.ask("os.stat('../..').st_ino == os.stat('/').st_ino")).toBe('True');
  });
});
