import { describe, expect, test } from 'vitest';
import { startPython } from '../repoint/lab.ts';
import { cannotInject, nothingLeft, scene } from './lab.ts';

/** Each kind of lock, for writing; and somebody who tries to get them. */
const holder = `
os.chdir(sys.argv[1])
def opened(name):
    fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
    os.ftruncate(fd, 100)
    return fd
process, description, whole = [opened(name) for name in ('process', 'description', 'whole')]
fcntl.lockf(process, fcntl.LOCK_EX, 10, 5)
fcntl.lockf(process, fcntl.LOCK_SH, 10, 40)
fcntl.fcntl(description, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 20, 10, 0))  # F_OFD_SETLK
fcntl.flock(whole, fcntl.LOCK_EX)
`;
const rival = `
os.chdir(sys.argv[1])
def attempt(name, lock):
    fd = os.open(name, os.O_RDWR)
    try:
        lock(fd)
        return 'got it'
    except BlockingIOError:
        return 'refused'
    finally:
        os.close(fd)
def part(name, kind, start):
    return attempt(name, lambda fd: fcntl.lockf(fd, kind | fcntl.LOCK_NB, 1, start))
def all():
    return [
        part('process', fcntl.LOCK_SH, 5), part('process', fcntl.LOCK_SH, 14), part('process', fcntl.LOCK_EX, 15),
        part('process', fcntl.LOCK_SH, 45), part('process', fcntl.LOCK_EX, 45),
        part('description', fcntl.LOCK_SH, 29), part('description', fcntl.LOCK_EX, 30),
        attempt('whole', lambda fd: fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)),
    ]
`;
const held = "['refused', 'refused', 'got it', 'got it', 'refused', 'refused', 'got it', 'refused']";
const free = `[${Array.from({ length: 8 }, () => "'got it'").join(', ')}]`;

describe.skipIf(cannotInject !== undefined)('locks', () => {
  test('are held before, during and after, against those who were there and those who come', async () => {
    const one = scene();
    const program = await startPython(holder, one.volume);
    const old = await startPython(rival, one.volume);
    expect(await old.ask('all()')).toBe(held);

    for (let round = 1; round <= 2; round++) {
      const uid = await one.inject(['latency', '--methods', 'symlink', '--delay', '1ms']);
      const young = await startPython(rival, one.volume);
      expect([await old.ask('all()'), await young.ask('all()')]).toEqual([held, held]);
      await one.recover(uid);
      expect([await old.ask('all()'), await young.ask('all()')]).toEqual([held, held]);
      const { targets } = await one.show(uid);
      expect(targets.map(({ verdict }) => verdict)).not.toContain('mismatch');
    }

    // They are the program's own: it lets go of them as it ever did.
    await program.ask('fcntl.flock(whole, fcntl.LOCK_UN), os.close(process), os.close(description)');
    expect(await old.ask('all()')).toBe(free);
    await nothingLeft(one, [program.pid, old.pid]);
  });

  test('that were taken during the fault are held after it, by those who have let go of others', async () => {
    const one = scene();
    const uid = await one.inject(['latency', '--methods', 'symlink', '--delay', '1ms']);
    const program = await startPython(
      `
fd = os.open(sys.argv[1] + '/file', os.O_RDWR)
fcntl.lockf(fd, fcntl.LOCK_EX, 10, 0)
fcntl.lockf(fd, fcntl.LOCK_EX, 10, 20)
fcntl.lockf(fd, fcntl.LOCK_UN, 10, 20)
far = 1152921504606846981
fcntl.lockf(fd, fcntl.LOCK_EX, 3, far)
`,
      one.volume,
    );
    const other = await startPython(rival, one.volume);
    const ask = 'part("file", fcntl.LOCK_SH, 9), part("file", fcntl.LOCK_SH, 20)';
    const askFar = 'part("file", fcntl.LOCK_SH, 1152921504606846980), part("file", fcntl.LOCK_SH, 1152921504606846983)';
    for (const recovered of [false, true]) {
      if (recovered) await one.recover(uid);
      expect(await other.ask(ask)).toBe("('refused', 'got it')");
      expect(await other.ask(askFar)).toBe("('got it', 'refused')");
    }
    await nothingLeft(one, [program.pid, other.pid]);
  });

  test('of flock(2) are free as soon as their file is closed, whoever has it open besides', async () => {
    const one = scene();
    const uid = await one.inject(['latency', '--methods', 'symlink', '--delay', '1ms']);
    const opened = "fds = [os.open(sys.argv[1] + '/file', os.O_RDWR)]";
    const [holder, waiting] = [await startPython(opened, one.volume), await startPython(opened, one.volume)];
    await holder.ask('fcntl.flock(fds[0], fcntl.LOCK_EX)');
    waiting.say('fcntl.flock(fds[0], fcntl.LOCK_EX)');
    await holder.ask('os.close(fds.pop())');
    expect(await waiting.hear()).toBe('None');
    await one.recover(uid);
    await nothingLeft(one, [holder.pid, waiting.pid]);
  });
});
