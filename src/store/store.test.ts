import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore, openStoreLazily, type Store } from './store.ts';

let folder = '';
const opened: Store[] = [];

function open(steps?: readonly string[]): Store {
  const store = steps === undefined ? openStore(folder) : openStore(folder, steps);
  opened.push(store);
  return store;
}

beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'faultline-store-')), 'state');
});

afterEach(() => {
  for (const store of opened.splice(0)) store.close();
  rmSync(path.dirname(folder), { recursive: true, force: true });
});

const steps = [
  'CREATE TABLE one (a TEXT) STRICT',
  'CREATE TABLE two (a TEXT) STRICT',
  'ALTER TABLE one ADD COLUMN b TEXT',
];

describe('openStore', () => {
  test('makes the folder and the journal for its owner alone, and leaves no draft', () => {
    open();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
    for (const name of readdirSync(folder)) expect(statSync(path.join(folder, name)).mode & 0o777, name).toBe(0o600);
  });

  test('writes ahead, to the disk at every commit', () => {
    const store = open();
    expect(store.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
    expect(store.get('PRAGMA synchronous')).toEqual({ synchronous: 2 });
  });

  test('an older journal is brought up to date and keeps what it holds', async () => {
    const old = open(steps.slice(0, 1));
    await old.write(() => old.run('INSERT INTO one (a) VALUES ($a)', { a: 'kept' }));
    const newer = open(steps);
    expect(newer.all('SELECT * FROM one')).toEqual([{ a: 'kept', b: null }]);
    expect(newer.all('SELECT * FROM two')).toEqual([]);
    expect(newer.get('PRAGMA user_version')).toEqual({ user_version: 3 });
  });

  test('a migration that fails changes nothing', () => {
    open(steps.slice(0, 1));
    expect(() => openStore(folder, [...steps.slice(0, 2), 'CREATE TABLE'])).toThrow('incomplete input');
    expect(open(steps.slice(0, 1)).get('PRAGMA user_version')).toEqual({ user_version: 1 });
  });

  test('a newer journal is refused', () => {
    open(steps);
    expect(() => openStore(folder, steps.slice(0, 1))).toThrow(/newer Faultline \(schema 3, this program knows 1\)/);
  });

  test('lazily: nothing is made until it is used', () => {
    const store = openStoreLazily(folder);
    expect(() => statSync(folder)).toThrow('ENOENT');
    expect(store.all('SELECT * FROM injection')).toEqual([]);
    expect(statSync(folder).isDirectory()).toBe(true);
    store.close();
  });
});

describe('write', () => {
  const insert = (store: Store, a: string) => () => store.run('INSERT INTO one (a) VALUES ($a)', { a });
  const held = (store: Store): unknown => store.all('SELECT a FROM one ORDER BY rowid').map(({ a }) => a);

  test('is all or nothing', async () => {
    const store = open(steps);
    const write = store.write(() => {
      insert(store, 'x')();
      throw new Error('changed my mind');
    });
    await expect(write).rejects.toThrow('changed my mind');
    expect(held(store)).toEqual([]);
  });

  test('two connections wait for each other', async () => {
    const stores = [open(steps), open(steps)];
    await Promise.all(stores.flatMap((store) => Array.from({ length: 20 }, () => store.write(insert(store, 'x')))));
    expect(stores[0]?.all('SELECT count(*) AS n FROM one')).toEqual([{ n: 40 }]);
  });

  test('what is asked for together is committed together, in order, each for itself', async () => {
    const store = open(steps);
    const other = open(steps);
    const commits = (): unknown => other.get('PRAGMA data_version');
    const before = Number(Object.values(commits() as object)[0]);
    const writes = [
      store.write(insert(store, 'a')),
      store.write(() => {
        insert(store, 'taken back')();
        throw new Error('changed my mind');
      }),
      store.write(insert(store, 'b')),
      store.write(() => {
        throw new Error('never began');
      }),
      store.write(() => insert(store, 'c')().changes),
    ];
    const ended = await Promise.allSettled(writes);
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
    expect(ended[4]).toMatchObject({ value: 1 });
    expect(held(other)).toEqual(['a', 'b', 'c']);
    expect(Number(Object.values(commits() as object)[0])).toBe(before + 1);
  });

  test('waits for the lock of another without holding up this thread', async () => {
    const store = open(steps);
    const other = open(steps);
    other.run('BEGIN IMMEDIATE');
    let written = false;
    const write = store.write(insert(store, 'late')).then(() => {
      written = true;
    });
    let turns = 0;
    while (turns < 20) {
      await delay(10);
      turns += 1;
    }
    expect(written).toBe(false);
    other.run('COMMIT');
    await write;
    expect(held(store)).toEqual(['late']);
  });

  test('what still waits when the journal is closed is told so', async () => {
    const store = open(steps);
    const write = store.write(insert(store, 'too late'));
    store.close();
    await expect(write).rejects.toThrow('not open');
  });
});
