import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { version } from './version.ts';

test('without a build the version is read from package.json', () => {
  const manifest: unknown = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(manifest).toHaveProperty('version', version);
  expect(version).toMatch(/^\d+\.\d+\.\d+/u);
});
