import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { removeLeftovers, withRemoval } from './removal.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'faultline-removal-'));

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('withRemoval', () => {
  it('removes when the work is over, and when it fails', async () => {
    const inside = path.join(folder, 'one');
    mkdirSync(inside, { recursive: true });
    expect(await withRemoval(inside, () => Promise.resolve(existsSync(inside)))).toBe(true);
    expect(existsSync(inside)).toBe(false);
    mkdirSync(inside);
    await expect(withRemoval(inside, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(existsSync(inside)).toBe(false);
  });
});

describe('removeLeftovers', () => {
  it('removes what names a process that is no more, and nothing else', () => {
    mkdirSync(folder, { recursive: true });
    // Above the highest PID that Linux gives out, 4,194,304.
    for (const name of ['x-5000000-a', `x-${process.pid}-a`, 'y-5000000-a', 'x-a']) {
      writeFileSync(path.join(folder, name), '');
    }
    removeLeftovers(folder, /^x-(\d+)-/u);
    expect(readdirSync(folder).sort()).toEqual([`x-${process.pid}-a`, 'x-a', 'y-5000000-a'].sort());
    expect(() => removeLeftovers(path.join(folder, 'none'), /(\d+)/u)).not.toThrow();
  });
});
