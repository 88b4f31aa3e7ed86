import { beforeEach, describe, expect, test } from 'vitest';
import { attack } from './attack.ts';
import type { EngineContext } from './context.ts';
import { currentRecord } from './injection.ts';
import { parseAttack } from './request.ts';
import { type OngoingRun, runsOver } from './runs.ts';
import { supervise } from './supervise.ts';
import { contextOfEachTest } from './test-support/context.ts';

const engineOfTest = contextOfEachTest();
let context: EngineContext;

beforeEach(() => {
  context = engineOfTest();
  // A keeper that serves: no test needs one of its own.
  context.store.run('INSERT INTO keeper (id, identity) VALUES (1, $self)', { self: JSON.stringify(context.self) });
});

function begin(targets: number): Promise<OngoingRun> {
  const blastRadius = { targets, percent: null, processes: null };
  return runsOver(context).begin({ name: 'tried', file: 'tried.yaml', blastRadius }, (uid) => ({ uid, journal: [] }));
}

async function hold(run: OngoingRun, name: string) {
  return attack(context, { ...(await parseAttack('noop', 'hold', { uid: name }, { name })), run: run.uid });
}

/** Its owner becomes one of which there is none now: above the highest PID that Linux gives out. */
const killed = (run: OngoingRun) =>
  context.store.run('UPDATE run SET owner = $owner WHERE uid = $uid', {
    uid: run.uid,
    owner: JSON.stringify({ pid: 5_000_000, startTimeTicks: 1, bootId: context.host.bootId, operation: 1 }),
  });

describe('attacks of a run', () => {
  test('have a lease that ends with it, and are refused beyond its blast radius', async () => {
    const run = await begin(1);
    await run.allow(60_000);
    const { record } = await hold(run, 'first');
    expect(record.run).toBe(run.uid);
    expect(record.leaseMs).toBeGreaterThan(0);
    expect(record.leaseMs).toBeLessThanOrEqual(60_000);
    await expect(hold(run, 'second')).rejects.toMatchObject({ code: 'GUARD_LIMIT', details: { rule: 'blast-radius' } });
    await run.end({ verdict: 'held', reason: '', document: {} });
  });

  test('at the same time do not exceed it together', async () => {
    const run = await begin(2);
    await run.allow(60_000);
    const names = ['a', 'b', 'c', 'd', 'e'];
    const ended = await Promise.allSettled(names.map((name) => hold(run, name)));
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    await run.end({ verdict: 'held', reason: '', document: {} });
  });

  test('are refused before it allows them, after its time, and after its end', async () => {
    const run = await begin(9);
    await expect(hold(run, 'early')).rejects.toMatchObject({ code: 'GUARD_LIMIT' });
    await run.allow(-1);
    await expect(hold(run, 'late')).rejects.toMatchObject({ code: 'GUARD_LIMIT' });
    await run.allow(60_000);
    await run.end({ verdict: 'held', reason: '', document: {} });
    await expect(hold(run, 'over')).rejects.toMatchObject({ code: 'INJECTION_CANCELLED' });
  });
});

describe('what is known of a run', () => {
  test('is not written over once it has ended', async () => {
    const run = await begin(1);
    const end = run.end({ verdict: 'held', reason: '', document: { verdict: 'held' } });
    // In the same turn, and so in the same transaction.
    await Promise.all([end, run.write({ verdict: null })]);
    await run.write({ verdict: null });
    expect(runsOver(context).find(run.uid).document).toEqual({ verdict: 'held' });
  });
});

describe('a run whose runner was killed', () => {
  test('is undone, the newest first, and gets its verdict, once', async () => {
    const run = await begin(2);
    await run.allow(60_000);
    const held = [await hold(run, 'first'), await hold(run, 'second')];
    await run.write({ uid: run.uid, journal: [{ text: 'it began' }], injections: [{ uid: 'first', toMs: null }] });
    expect(await supervise(context)).toEqual([]);
    killed(run);
    expect((await supervise(context)).map(({ uid }) => uid)).toEqual(['second', 'first']);
    expect(held.map(({ record }) => currentRecord(context, record).state)).toEqual(['recovered', 'recovered']);
    const kept = runsOver(context).find(run.uid);
    expect(kept.record).toMatchObject({ verdict: 'aborted', reason: 'its runner was killed' });
    expect(kept.document).toMatchObject({
      verdict: 'aborted',
      injections: [{ uid: 'first', state: 'recovered', targets: [{ verdict: 'confirmed' }] }],
      journal: [{ text: 'it began' }, { text: 'aborted: its runner was killed' }, {}, {}, {}],
    });
    expect(await supervise(context)).toEqual([]);
  });

  const rolledBack = [
    ['before its rollbacks', [], 'no command of its rollbacks was run from then on'],
    ['in the middle of them', ['method', 'rollback'], 'the rollback commands were broken off with it'],
    ['after them', ['method', 'rollback', 'after'], 'aborted: its runner was killed'],
  ] as const;

  test.each(rolledBack)('%s: the last line says so', async (_when, phases, told) => {
    const run = await begin(1);
    await run.allow(60_000);
    await hold(run, 'held');
    const injections = [{ uid: 'held', name: 'hold it', toMs: null }];
    await run.write({ uid: run.uid, phases: phases.map((name) => ({ name })), injections });
    killed(run);
    await supervise(context);
    const { document } = runsOver(context).find(run.uid);
    const journal = (document?.['journal'] ?? []) as unknown as readonly { readonly text: string }[];
    const lines = journal.map(({ text }) => text);
    expect(lines).toContain('hold it is recovered');
    expect(lines.filter((line) => line !== 'hold it is recovered').at(-1)).toContain(told);
  });

  test('before a reboot: there is nothing left to undo, and it is ended', async () => {
    const run = await begin(1);
    context.store.run("UPDATE run SET boot_id = 'an earlier boot'");
    await supervise(context);
    expect(runsOver(context).find(run.uid).record).toMatchObject({ verdict: 'aborted' });
  });

  test('of another PID namespace is left alone', async () => {
    const run = await begin(1);
    killed(run);
    context.store.run('UPDATE run SET pid_namespace = 1');
    await supervise(context);
    expect(runsOver(context).find(run.uid).record.verdict).toBeNull();
  });
});

describe('past runs', () => {
  // Four hundred commits, each of which waits for the disk.
  test('the last 200 are kept whole, the others by name', { timeout: 240_000 }, async () => {
    const first = await begin(1);
    await first.end({ verdict: 'held', reason: '', document: { kept: true } });
    for (let index = 0; index < 200; index++) {
      const run = await begin(1);
      await run.end({ verdict: 'held', reason: '', document: { kept: true } });
    }
    const runs = runsOver(context);
    const uids = runs.list(1_000).map(({ uid }) => uid);
    expect(uids).toHaveLength(201);
    expect(runs.find(first.uid).document).toBeNull();
    expect(uids.slice(0, 200).every((uid) => runs.find(uid).document !== null)).toBe(true);
    expect(() => runs.find('never')).toThrow(expect.objectContaining({ code: 'RUN_NOT_FOUND' }));
  });
});
