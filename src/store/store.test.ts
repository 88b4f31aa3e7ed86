import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
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

  test('an older journal is brought up to date and keeps what it holds', () => {
    const old = open(steps.slice(0, 1));
    old.write(() => old.run('INSERT INTO one (a) VALUES ($a)', { a: 'kept' }));
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
  test('is all or nothing, and nested writes join the outer one', () => {
    const store = open(steps);
    expect(() =>
      store.write(() => {
        store.run("INSERT INTO one (a) VALUES ('x')");
        store.write(() => store.run("INSERT INTO one (a) VALUES ('y')"));
        throw new Error('changed my mind');
      }),
    ).toThrow('changed my mind');
    expect(store.all('SELECT * FROM one')).toEqual([]);
  });

  test('two connections wait for each other', () => {
    const [one, two] = [open(steps), open(steps)];
    for (let turn = 0; turn < 20; turn++) {
      const store = turn % 2 === 0 ? one : two;
      store.write(() => store.run('INSERT INTO one (a) VALUES ($a)', { a: String(turn) }));
    }
    expect(one.all('SELECT count(*) AS n FROM one')).toEqual([{ n: 20 }]);
  });
});
