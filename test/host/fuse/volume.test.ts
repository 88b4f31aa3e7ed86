import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../../support/cli.ts';
import { cannotServe, startVolume } from '../../support/fuse-volume.ts';

describe.skipIf(cannotServe() !== undefined)('a volume that nobody disturbs', () => {
  test('is the folder below', async () => {
    const folder = tempFolder();
    writeFileSync(path.join(folder, 'a'), 'hello');
    mkdirSync(path.join(folder, 'd'));
    const before = statSync(path.join(folder, 'a'));
    const volume = await startVolume({ source: folder, mount: folder });
    expect(readFileSync(path.join(folder, 'a'), 'utf8')).toBe('hello');
    expect(readdirSync(folder).sort()).toEqual(['a', 'd']);
    expect(statSync(path.join(folder, 'a')).ino).toBe(before.ino);
    writeFileSync(path.join(folder, 'd/b'), 'world');
    expect(readFileSync(path.join(folder, 'd/b'), 'utf8')).toBe('world');
    expect((await volume.status()).requests).toBeGreaterThan(5);
    await volume.end();
    expect(readFileSync(path.join(folder, 'd/b'), 'utf8')).toBe('world');
  });
});
