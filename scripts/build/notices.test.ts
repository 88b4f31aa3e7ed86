import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { packageFolder, thirdPartyNotices } from './notices.ts';

const root = path.resolve(import.meta.dirname, '../..');

test.each([
  ['node_modules/yaml/dist/index.js', 'node_modules/yaml'],
  ['node_modules/@sinclair/typebox/build/esm/index.mjs', 'node_modules/@sinclair/typebox'],
  ['node_modules/a/node_modules/@b/c/lib/x.js', 'node_modules/a/node_modules/@b/c'],
  ['src/base/error.ts', undefined],
])('%s belongs to %s', (input, folder) => {
  expect(packageFolder(input)).toBe(folder);
});

test('each bundled package is named once, with its version and the text of its licence', () => {
  const notices = thirdPartyNotices(root, [
    'src/base/error.ts',
    'node_modules/commander/lib/command.js',
    'node_modules/commander/lib/option.js',
    'node_modules/yaml/dist/index.js',
  ]);
  expect(notices.match(/^commander \d+\.\d+\.\d+ \(MIT\)$/gmu)).toHaveLength(1);
  expect(notices.match(/^yaml \d+\.\d+\.\d+ \(ISC\)$/gmu)).toHaveLength(1);
  expect(notices).toContain('The above copyright notice and this permission notice');
});

test('of a package that is a bundle itself, the licences of what is in the files passed on are named, too', () => {
  const notices = thirdPartyNotices(root, ['node_modules/swagger-ui-dist/swagger-ui-bundle.js']);
  expect(notices).toMatch(/^swagger-ui-dist \d+\.\d+\.\d+ \(Apache-2\.0\)$/mu);
  expect(notices).toContain('Copyright (c) Facebook, Inc.');
  expect(notices).toContain('SmartBear Software');
});

test('a package without a licence text may not be bundled', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-notices-'));
  try {
    mkdirSync(path.join(folder, 'node_modules/bare'), { recursive: true });
    writeFileSync(path.join(folder, 'node_modules/bare/package.json'), '{"name":"bare","version":"1.0.0"}');
    expect(() => thirdPartyNotices(folder, ['node_modules/bare/index.js'])).toThrow(/bare@1\.0\.0 has no licence/u);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
