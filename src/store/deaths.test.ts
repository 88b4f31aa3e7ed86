import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findDeaths, insertDeaths } from './deaths.ts';
import { openStore, type Store } from './store.ts';

let folder = '';
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'faultline-deaths-'));
  store = openStore(path.join(folder, 'state'));
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const death = (pid: number, name: string, bootId = 'boot') => ({ at: 1, bootId, pid, name, record: { pid, name } });

test('found by PID in one boot, and by name; the newest first', async () => {
  await store.write(() => insertDeaths(store, [death(1, 'a'), death(2, 'b'), death(2, 'c', 'other'), death(3, 'b')]));
  expect(findDeaths(store, { pid: 2, bootId: 'boot' }, 9)).toEqual([{ pid: 2, name: 'b' }]);
  expect(findDeaths(store, { name: 'b' }, 9)).toEqual([
    { pid: 3, name: 'b' },
    { pid: 2, name: 'b' },
  ]);
  expect(findDeaths(store, { name: 'b' }, 1)).toHaveLength(1);
});

test('the last ten thousand are kept', async () => {
  const many = Array.from({ length: 10_050 }, (_, index) => death(index + 1, 'worker'));
  await store.write(() => insertDeaths(store, many));
  expect(findDeaths(store, { pid: 50, bootId: 'boot' }, 9)).toEqual([]);
  expect(findDeaths(store, { pid: 51, bootId: 'boot' }, 9)).toHaveLength(1);
  expect(findDeaths(store, { name: 'worker' }, 20_000)).toHaveLength(10_000);
});
