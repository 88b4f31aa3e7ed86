import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { whyUnsupported } from './supported.ts';

const here = { nodeVersion: '20.19.0', platform: 'linux', arch: 'x64' };

describe('whyUnsupported', () => {
  test.each(['20.19.0', '20.19.5', '20.20.2', '22.0.0', '24.11.1', '100.0.0', '21.0.0-nightly'])(
    'Node.js %s is supported',
    (nodeVersion) => {
      expect(whyUnsupported({ ...here, nodeVersion })).toBeUndefined();
    },
  );

  test.each(['14.21.3', '16.20.2', '18.20.8', '19.99.0', '20.0.0', '20.9.0', '20.18.3'])(
    'Node.js %s is too old',
    (nodeVersion) => {
      expect(whyUnsupported({ ...here, nodeVersion })).toBe(
        `Faultline needs Node.js 20.19 or newer, and this is ${nodeVersion}`,
      );
    },
  );

  test.each(['', 'v20.19.0', 'nonsense', '20'])('Node.js version %j cannot be read and is refused', (nodeVersion) => {
    expect(whyUnsupported({ ...here, nodeVersion })).toMatch(/needs Node\.js/u);
  });

  test.each(['darwin', 'win32', 'freebsd'])('%s is refused by name', (platform) => {
    expect(whyUnsupported({ ...here, platform })).toBe(`Faultline works on Linux only, and this is ${platform}`);
  });

  test('arm64 is supported, and any other processor is refused by name', () => {
    expect(whyUnsupported({ ...here, arch: 'arm64' })).toBeUndefined();
    expect(whyUnsupported({ ...here, arch: 'riscv64' })).toBe(
      'Faultline works on x64 and arm64 processors only, and this Node.js is built for riscv64',
    );
  });

  test('any version orders by number, not by text', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), fc.nat(60), (major, minor, patch) => {
        const supported = whyUnsupported({ ...here, nodeVersion: `${major}.${minor}.${patch}` }) === undefined;
        expect(supported).toBe(major * 1000 + minor >= 20_019);
      }),
    );
  });
});
