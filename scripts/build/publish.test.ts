import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { publish } from './publish.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'faultline-publish-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function put(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

function publishFolder(): number {
  return publish(path.join(folder, 'stage'), path.join(folder, 'dist'));
}

function published(): Readonly<Record<string, string>> {
  const names = readdirSync(path.join(folder, 'dist'), { recursive: true, encoding: 'utf8' }).toSorted();
  const files = names.filter((name) => statSync(path.join(folder, 'dist', name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(path.join(folder, 'dist', name), 'utf8')]));
}

test('what is new comes, what has changed is replaced, and what is stale goes', () => {
  put({ 'dist/a.js': 'old', 'dist/chunks/old.js': 'x', 'dist/same.js': 'same' });
  put({ 'stage/a.js': 'new', 'stage/chunks/new.js': 'y', 'stage/same.js': 'same', 'stage/man/a.1': '.TH' });
  expect(publishFolder()).toBe(4);
  expect(published()).toEqual({ 'a.js': 'new', 'chunks/new.js': 'y', 'same.js': 'same', 'man/a.1': '.TH' });
});

test('a file that is right already is not touched', () => {
  put({ 'stage/a.js': 'a', 'dist/a.js': 'a' });
  const { ino } = statSync(path.join(folder, 'dist/a.js'));
  expect(publishFolder()).toBe(0);
  expect(statSync(path.join(folder, 'dist/a.js')).ino).toBe(ino);
});

test('a command that has lost its executable bit gets it back', () => {
  put({ 'stage/a.js': 'a', 'dist/a.js': 'a' });
  chmodSync(path.join(folder, 'stage/a.js'), 0o755);
  expect(publishFolder()).toBe(1);
  expect(statSync(path.join(folder, 'dist/a.js')).mode & 0o777).toBe(0o755);
});

test('the first build finds no folder', () => {
  put({ 'stage/a.js': 'a' });
  expect(publishFolder()).toBe(1);
  expect(published()).toEqual({ 'a.js': 'a' });
});
