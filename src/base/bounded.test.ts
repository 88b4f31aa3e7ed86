import { describe, expect, it } from 'vitest';
import { withinTime } from './bounded.ts';

const endless = (): boolean => /^(?:a+)+$/u.test(`${'a'.repeat(60)}!`);

describe('withinTime', () => {
  it('gives what comes of the work, also where that is nothing', () => {
    expect(withinTime(() => 5, 10_000)).toEqual({ result: 5 });
    expect(withinTime(() => undefined, 10_000)).toEqual({ result: undefined });
  });

  it('breaks off what would take for ever, and works on', () => {
    expect(withinTime(endless, 50)).toBeUndefined();
    expect(withinTime(() => 'next', 10_000)).toEqual({ result: 'next' });
  });

  it('tries once more, for the machine may have stood still', () => {
    let tries = 0;
    const work = (): number => {
      tries += 1;
      return tries === 1 ? Number(endless()) : tries;
    };
    expect(withinTime(work, 1_000)).toEqual({ result: 2 });
  });

  it('throws what the work throws', () => {
    const mistake = new TypeError('a mistake');
    const work = (): never => {
      throw mistake;
    };
    expect(() => withinTime(work, 10_000)).toThrow(mistake);
  });
});
