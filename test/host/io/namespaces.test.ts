import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TargetAnswer } from '../../support/io-target-program.ts';
import { end, until } from '../targets/processes.ts';
import { cannotInject, content, fill, mountsOf, nothingLeft, processesOf, type Scene, scene } from './lab.ts';
import { startTarget, type Target } from './target.ts';

/*
 * Volumes in other mount namespaces than ours, as containers have them, and targets that end before their fault does.
 */

/** Some hosts forbid them. */
const hasNamespaces = spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']).status === 0;
if (!hasNamespaces) console.warn('Skipped: there can be no other namespaces here');
const cannotRun = cannotInject !== undefined || !hasNamespaces;

const fault = ['fault', '--methods', 'read', '--errno', 'EIO'];
const read = { do: 'read', at: 0, size: 10 } as const;
const textOf = ({ bytes = '' }: TargetAnswer): string => Buffer.from(bytes, 'base64').toString();

/** In a mount namespace of its own, with the same files. */
const apart = ['unshare', '--mount', '--propagation', 'private'];

async function expectHit(one: Scene, target: Target): Promise<void> {
  expect(await target.ask(read)).toMatchObject({ error: 'EIO' });
  expect(await target.ask({ ...read, file: one.inVolume('other') })).toMatchObject({ error: 'EIO' });
}

async function expectWell(one: Scene, target: Target): Promise<void> {
  for (const file of ['file', 'other']) {
    const whole = await target.ask({ do: 'read', at: 0, size: content.length, file: one.inVolume(file) });
    expect(textOf(whole) === content, file).toBe(true);
  }
  expect(textOf(await target.ask(read))).toBe(content.slice(0, 10));
}

/** Here nothing is mounted, and everything is there. */
function expectUntouchedHere(one: Scene): void {
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(one.volume);
  expect(readFileSync(one.inVolume('file'), 'utf8') === content).toBe(true);
}

describe.skipIf(cannotRun)('in another mount namespace', () => {
  test.each([
    ['of the process that is chosen', '--process'],
    ['of the process whose view is asked for', '--in-pid'],
  ])('%s: it is covered there, and here nothing is touched', async (_which, flag) => {
    const one = scene();
    const target = await startTarget(one.inVolume('file'), { by: apart });
    const here = await startTarget(one.inVolume('file'));
    const uid = await one.inject([...fault, flag, String(target.pid)]);
    await expectHit(one, target);
    await expectWell(one, here);
    expectUntouchedHere(one);
    await one.recover(uid);
    await nothingLeft(one, [target.pid, here.pid]);
    await expectWell(one, target);
  });

  test('a container: a PID namespace and a file system of its own, of which we see nothing', async () => {
    const one = scene();
    const inside = path.join(path.dirname(one.volume), 'inside');
    fill(inside);
    // What is in the volume is on a file system that is mounted in the namespace alone.
    const script = 'mount -t tmpfs none "$1" && cp -a "$2/." "$1" && rm "$2/file" && shift 2 && exec "$@"';
    const by = ['unshare', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const target = await startTarget(one.inVolume('file'), {
      by: [...by, 'sh', '-c', script, 'sh', one.volume, inside],
    });
    const [pid = ''] = readFileSync(`/proc/${target.pid}/task/${target.pid}/children`, 'utf8').trim().split(' ');
    const uid = await one.inject([...fault, '--in-pid', pid]);
    await expectHit(one, target);
    expectUntouchedHere(one);
    const shown = await one.show(uid);
    expect(shown.targets.map(({ verdict, target: { label } }) => [label, verdict])).toEqual([
      [one.volume, 'confirmed'],
      [`pid ${pid} (${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()})`, 'confirmed'],
    ]);
    await one.recover(uid);
    await nothingLeft(one);
    await expectWell(one, target);
  });

  test('a copy of the mount in a namespace that is made meanwhile goes, too', async () => {
    const one = scene();
    const target = await startTarget(one.inVolume('file'));
    const uid = await one.inject(fault);
    const late = await startTarget(one.inVolume('file'), { by: apart });
    // A namespace that another test makes at the same time has a copy, too.
    const namespaces = [process.pid, late.pid].map((pid) => readlinkSync(`/proc/${pid}/ns/mnt`));
    const copies = mountsOf({ below: one.volume }).filter(({ namespace }) => namespaces.includes(namespace));
    expect(copies).toHaveLength(2);
    await expectHit(one, late);
    await one.recover(uid);
    await nothingLeft(one, [target.pid, late.pid]);
    await expectWell(one, target);
    await expectWell(one, late);
  });
});

describe.skipIf(cannotRun)('who is gone before it ends', () => {
  test('the target', async () => {
    const one = scene();
    const target = await startTarget(one.inVolume('file'));
    const uid = await one.inject(fault);
    await end(target);
    await one.recover(uid);
    await nothingLeft(one);
    expectUntouchedHere(one);
    expect((await one.show(uid)).state).toBe('recovered');
  });

  test('the target and its mount namespace', async () => {
    const one = scene();
    const target = await startTarget(one.inVolume('file'), { by: apart });
    const uid = await one.inject([...fault, '--in-pid', String(target.pid)]);
    await end(target);
    await one.recover(uid);
    await until('the daemon has ended', () => !processesOf(one).some(({ command }) => command === 'io-daemon'));
    expectUntouchedHere(one);
    expect((await one.show(uid)).state).toBe('recovered');
  });

  test('the target and its mount namespace, and then the daemon', async () => {
    const one = scene();
    const target = await startTarget(one.inVolume('file'), { by: apart });
    const uid = await one.inject([...fault, '--in-pid', String(target.pid)]);
    await end(target);
    for (const { pid } of processesOf(one)) process.kill(pid, 'SIGKILL');
    await one.recover(uid);
    expectUntouchedHere(one);
    expect((await one.show(uid)).state).toBe('recovered');
  });
});
