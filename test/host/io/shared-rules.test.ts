import { rmSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { IoEvent } from '../../../src/faults/io/counters.ts';
import { createRuleBoard, type RuleBoard } from '../../../src/faults/io/shared-rules.ts';
import { failing, put, ruleOf, slow } from '../../../src/faults/io/test-support/operations.ts';
import { buildCrashingProgram } from '../../support/crashing.ts';

const threads = 4;
const operations = 20_000;

let program = '';
beforeAll(async () => {
  program = await buildCrashingProgram('io-rules-program');
});
afterAll(() => rmSync(program, { force: true }));

/** How many operations each thread saw disturbed. */
async function serve(board: RuleBoard): Promise<readonly number[]> {
  const workers = Array.from(
    { length: threads },
    () => new Worker(program, { workerData: { shared: board.shared, operations } }),
  );
  try {
    return await Promise.all(
      workers.map(
        (worker) =>
          new Promise<number>((resolve, reject) => {
            worker.once('message', resolve);
            worker.once('error', reject);
          }),
      ),
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

function isWhole({ path, pid, offset, size, method, errno }: IoEvent): boolean {
  const number = String(pid);
  const repeated = path === `/${number.repeat(1 + (pid % 30))}`;
  return repeated && offset === pid && size === pid && method === 'read' && errno === 5;
}

describe('threads that share rules and counters', () => {
  test('disturb exactly as many operations as are allowed, and count every one', async () => {
    const board = createRuleBoard('/data');
    put(board, [ruleOf(failing, { count: 12_345 })]);
    expect(sum(await serve(board))).toBe(12_345);
    const all = threads * operations;
    expect(board.counts(1)).toMatchObject([{ seen: all, matched: all, injected: 12_345 }]);
  });

  test('disturb as many as one thread would, of what is left to chance', async () => {
    const counts = async () => {
      const board = createRuleBoard('/data');
      put(board, [ruleOf(failing, { percent: 37 }), ruleOf(slow(1), { every: 7 })]);
      await serve(board);
      return board.counts(1).map(({ injected }) => injected);
    };
    const first = await counts();
    expect(first[1]).toBe(Math.floor((threads * operations) / 7));
    expect(await counts()).toEqual(first);
  });

  test('never show an event that is half another one, nor rules that are half others', async () => {
    const board = createRuleBoard('/data');
    // The slow one comes and goes; the failing one stays, and with it its counters.
    const stays = ruleOf(failing);
    put(board, [stays]);
    const running = new Set(['workers']);
    const served = serve(board).finally(() => running.clear());
    for (let round = 0; running.size > 0; round += 1) {
      put(board, round % 2 === 0 ? [stays, ruleOf(slow(1), { path: `/data/${'x'.repeat(round % 500)}*` })] : [stays]);
      const [counts] = board.counts(1);
      for (const event of counts?.recent ?? []) expect(event).toSatisfy(isWhole);
      await turn();
    }
    expect(await served).toEqual(Array.from({ length: threads }, () => operations));
    const [counts] = board.counts(1);
    expect(counts).toMatchObject({ seen: threads * operations, injected: threads * operations });
    expect(counts?.recent.length).toBeGreaterThan(0);
  });
});
