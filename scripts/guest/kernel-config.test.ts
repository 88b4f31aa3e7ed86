import { describe, expect, it } from 'vitest';
import { parseKernelConfig, unmetOptions } from './kernel-config.ts';

describe('parseKernelConfig', () => {
  it('reads what is set, what is not, and no comment', () => {
    const config = parseKernelConfig('# a comment\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C="a=b"\n\nCONFIG_D=8');
    expect([...config]).toEqual([
      ['CONFIG_A', 'y'],
      ['CONFIG_B', 'n'],
      ['CONFIG_C', '"a=b"'],
      ['CONFIG_D', '8'],
    ]);
  });
});

describe('unmetOptions', () => {
  const unmet = (wanted: string, actual: string): readonly string[] =>
    unmetOptions(parseKernelConfig(wanted), parseKernelConfig(actual));

  it('says nothing where all is as wanted', () => {
    expect(unmet('CONFIG_A=y\nCONFIG_B=n\nCONFIG_C=n', 'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_Z=y')).toEqual([]);
  });

  it('names what was dropped, what is a module, what is on, and what has another number', () => {
    expect(unmet('CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=n\nCONFIG_D=8', 'CONFIG_B=m\nCONFIG_C=y\nCONFIG_D=16')).toEqual([
      'CONFIG_A should be y and is n',
      'CONFIG_B should be y and is m',
      'CONFIG_C should be n and is y',
      'CONFIG_D should be 8 and is 16',
    ]);
  });
});
