import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readNamespace } from '../../../src/linux/procfs/namespaces.ts';
import { foreseeKept } from '../../../src/linux/repoint/kept.ts';
import { countUses, type VolumeUser } from '../../../src/linux/repoint/volume-use.ts';
import { findVolumeUsers, inspect, type Scope } from '../../../src/linux/repoint/volume-users.ts';
import { start, until } from '../targets/processes.ts';
import { coveredBy, canMove, only, sideOf, startPython, testVolume, type TestVolume } from './lab.ts';
import { startSwapper } from './swapper.ts';

const namespace: Scope = { kind: 'namespace', mountNamespace: readNamespace('self', 'mnt') ?? 0 };

function usersOf(volume: TestVolume, kind: 'original' | 'overlay', pids: readonly number[]): readonly VolumeUser[] {
  return findVolumeUsers(sideOf(volume, kind), { kind: 'pids', pids }).users;
}

describe.skipIf(!canMove)('who uses a volume', () => {
  test('is told with all that it holds, side by side', async () => {
    const volume = testVolume();
    const program = `
os.chdir(sys.argv[1])
name = sys.argv[2]
os.makedirs(name)
fd = os.open(name + '/file', os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
os.write(fd, b'12345')
os.set_inheritable(fd, True)
fcntl.lockf(fd, fcntl.LOCK_EX, 2, 1)
fcntl.flock(fd, fcntl.LOCK_SH)
memory = mmap.mmap(fd, 5, prot=mmap.PROT_READ)
os.chdir(name)
outside = os.open('/proc/self/stat', os.O_RDONLY)
`;
    const below = await startPython(program, volume.path, 'below');
    volume.cover();
    const above = await startPython(program, volume.path, 'ab\nove ü');
    const stranger = await startPython('');
    const pids = [below.pid, above.pid, stranger.pid];
    for (const [kind, one, name] of [
      ['original', below, 'below'],
      ['overlay', above, 'ab\nove ü'],
    ] as const) {
      const [user, ...others] = usersOf(volume, kind, pids);
      expect(others).toEqual([]);
      const fd = Number(await one.ask('fd'));
      const bytes = Buffer.from(name).toString('latin1');
      expect(user).toMatchObject({ pid: one.pid, comm: 'python3', threads: 1, sharesAll: true, refusal: undefined });
      expect(user?.executable).toBeUndefined();
      expect(user?.tables[0]?.descriptors.find((each) => each.fd === fd)).toMatchObject({
        relative: `${bytes}/file`,
        deleted: false,
        kind: 'regular',
        closeOnExec: false,
        position: 5n,
        links: 1,
        locks: expect.arrayContaining([
          { type: 'POSIX', mode: 'WRITE', start: 1n, end: 2n },
          { type: 'FLOCK', mode: 'READ', start: 0n, end: undefined },
        ]) as unknown,
      });
      expect(user?.folders).toMatchObject([{ workingDirectory: { relative: bytes }, root: undefined }]);
      expect(user?.maps).toMatchObject([{ relative: `${bytes}/file`, permissions: 'r--s', offset: 0 }]);
      // Python maps by a copy of the descriptor that it keeps.
      expect(user === undefined ? undefined : countUses(user)).toMatchObject({ descriptors: 2, maps: 1, roots: 0 });
    }
  });

  test('is not who is in another mount namespace, unless it is asked for', async () => {
    const volume = testVolume();
    const file = join(volume.path, 'file');
    writeFileSync(file, '');
    const one = await start('sh', ['-c', 'exec unshare --mount sleep 3600 < "$0"', file]);
    await until('it sleeps', () => inspect(sideOf(volume, 'original'), one.pid)?.comm === 'sleep');
    const side = sideOf(volume, 'original');
    const found = (scope: Scope): boolean => findVolumeUsers(side, scope).users.some(({ pid }) => pid === one.pid);
    expect(found(namespace)).toBe(false);
    expect(found({ kind: 'namespace', mountNamespace: readNamespace(one.pid, 'mnt') ?? 0 })).toBe(true);
    expect(found({ kind: 'all' })).toBe(true);
    expect(found({ kind: 'all', except: new Set([one.pid]) })).toBe(false);
  });

  test('what would stay is foreseen, and is what stays', async () => {
    const { volume, one, swapper, scope } = await coveredBy(`
fds = [os.open('gone', os.O_RDWR | os.O_CREAT, 0o644)]
os.unlink('gone')
os.mkfifo('fifo')
fds += [os.open('fifo', os.O_RDWR), os.open('.', os.O_RDWR | os.O_TMPFILE, 0o600)]
moved = os.open('moved', os.O_RDWR | os.O_CREAT, 0o644)
`);
    const [user] = usersOf(volume, 'original', [one.pid]);
    if (user === undefined) throw new Error('it was not found');
    const foreseen = foreseeKept(user, 'overlay');
    expect(foreseen.map(({ reason }) => reason)).toEqual(['unlinked', 'fifo', 'unlinked']);
    expect(only(await swapper.order({ towards: 'overlay', scope })).kept).toEqual(foreseen);
  });

  test('a file registered with an io_uring is told of', async () => {
    const volume = testVolume();
    const one = await startPython(
      `
fd = os.open(sys.argv[1] + '/registered file', os.O_RDWR | os.O_CREAT, 0o644)
ring = libc.syscall(425, 4, ctypes.create_string_buffer(120))
done = libc.syscall(427, ring, 2, ctypes.byref(ctypes.c_int(fd)), 1) if ring >= 0 else -1
`,
      volume.path,
    );
    // Many hosts forbid it.
    if ((await one.ask('done')) !== '0') return;
    const [user] = usersOf(volume, 'original', [one.pid]);
    expect(user?.registered).toEqual([{ fd: Number(await one.ask('ring')), path: `${volume.path}/registered file` }]);
  });

  test('who is traced by another is left alone, and told of', async () => {
    const { volume, one, swapper, scope } = await coveredBy(`fd = os.open('file', os.O_RDWR | os.O_CREAT, 0o644)`);
    const tracer = await startPython(
      `traced = libc.ptrace(0x4206, int(sys.argv[1]), 0, 0)  # PTRACE_SEIZE`,
      String(one.pid),
    );
    expect(await tracer.ask('traced')).toBe('0');
    const refusal = { reason: 'already-traced', detail: `it is traced by process ${tracer.pid} (python3)` };
    expect(usersOf(volume, 'original', [one.pid])).toMatchObject([{ refusal }]);
    expect(only(await swapper.order({ towards: 'overlay', scope }))).toMatchObject({ outcome: 'refused', refusal });
  });

  test.skipIf(process.arch !== 'x64')('a 32-bit program is left alone, and told of', async () => {
    const volume = testVolume();
    const file = join(volume.path, 'pause32');
    writeFileSync(file, pause32());
    chmodSync(file, 0o755);
    const child = spawn(file, [], { stdio: 'ignore', cwd: volume.path });
    const spawned = await Promise.race([once(child, 'spawn').then(() => true), once(child, 'error').then(() => false)]);
    // Some kernels cannot run it.
    if (!spawned) return;
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const pid = child.pid ?? 0;
    volume.cover();
    const swapper = await startSwapper(volume);
    const refusal = { reason: 'compat-task', detail: 'it runs 32-bit code' };
    expect(usersOf(volume, 'original', [pid])).toMatchObject([{ refusal }]);
    const order = { towards: 'overlay', scope: { kind: 'pids', pids: [pid] } } as const;
    expect(only(await swapper.order(order))).toMatchObject({ outcome: 'refused', refusal });
  });

  test('processes that come and go by the hundred do not disturb the search', async () => {
    const { volume, one } = await coveredBy(`
fd = os.open('file', os.O_RDWR | os.O_CREAT, 0o644)
`);
    const crowd = await start('sh', [
      '-c',
      'while :; do (exec < "$0"; :) & (cd "$1" && :) & wait; done',
      join(volume.path, 'file'),
      volume.path,
    ]);
    const side = sideOf(volume, 'original');
    const seen = new Set<number>();
    for (let i = 0; i < 100; i += 1) {
      const { users, unreadable } = findVolumeUsers(side, namespace);
      expect(unreadable).not.toContain(one.pid);
      expect(users.some(({ pid }) => pid === one.pid)).toBe(true);
      for (const { pid } of users) seen.add(pid);
    }
    expect(crowd.child.exitCode).toBeNull();
  });
});

/** An ELF program of i386 that does nothing but pause(2). */
function pause32(): Buffer {
  const code = Buffer.from([0xb8, 0x1d, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7]); // mov eax, 29; int 0x80; jmp back
  const [base, header, entry] = [0x0804_8000, 52, 32];
  const file = Buffer.alloc(header + entry + code.length);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  const halves = [2, 3] as const;
  for (const [index, half] of halves.entries()) file.writeUInt16LE(half, 16 + 2 * index);
  const words = [1, base + header + entry, header, 0, 0];
  for (const [index, word] of words.entries()) file.writeUInt32LE(word, 20 + 4 * index);
  file.writeUInt16LE(header, 40);
  file.writeUInt16LE(entry, 42);
  file.writeUInt16LE(1, 44);
  const segment = [1, 0, base, base, file.length, file.length, 5, 0x1000];
  for (const [index, word] of segment.entries()) file.writeUInt32LE(word, header + 4 * index);
  file.set(code, header + entry);
  return file;
}
