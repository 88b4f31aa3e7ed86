import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SI_KERNEL, type SeenDeath, type SeenEvent, type SeenOom } from './event.ts';
import { heldForMarks } from './late-marks.ts';

const SIGKILL = 9;

const mark: SeenOom = {
  totalVmPages: 7,
  anonRssPages: null,
  fileRssPages: null,
  shmemRssPages: null,
  oomScoreAdj: 1000,
};

function death(pid: number, code: number, parts: Partial<SeenDeath> = {}): SeenDeath {
  const sender = { pid: 1, name: 'killer', uid: 0, cgroup: '/' };
  return {
    kind: 'death',
    atMs: 2,
    pid,
    nsPid: null,
    namespaces: [],
    ppid: 1,
    name: 'victim',
    uid: 0,
    cgroup: '/',
    startTimeTicks: 1,
    argv: null,
    status: SIGKILL,
    ageMs: 1,
    signal: { signal: SIGKILL, code, beforeMs: 0, ...sender },
    oom: null,
    ...parts,
  };
}

const told = (events: readonly SeenEvent[]) => events.map((one) => [one.pid, one.kind === 'death' && one.oom !== null]);

test('who was killed by the kernel waits for his mark, and who came after him waits with him', () => {
  const marks = new Map<number, SeenOom>();
  const marked = heldForMarks(({ pid }) => marks.get(pid) ?? null);
  expect(told(marked([death(1, 0), death(2, SI_KERNEL), death(3, 0)], false))).toEqual([[1, false]]);
  marks.set(2, mark);
  expect(told(marked([death(4, 0)], false))).toEqual([
    [2, true],
    [3, false],
    [4, false],
  ]);
  expect(marked([], false)).toEqual([]);
});

test('he does not wait for long, nor where nobody asks again', async () => {
  const marked = heldForMarks(() => null);
  const seen = [death(1, SI_KERNEL)];
  expect(marked(seen, false)).toEqual([]);
  await delay(300);
  expect(marked([], false)).toEqual(seen);
  expect(marked(seen, true)).toEqual(seen);
});

test('who has his mark, or exited by himself, does not wait', () => {
  const seen = [death(2, SI_KERNEL, { oom: mark }), death(3, SI_KERNEL, { status: 1 << 8 })];
  expect(heldForMarks(() => null)(seen, false)).toEqual(seen);
});
