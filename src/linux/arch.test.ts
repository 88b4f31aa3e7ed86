import { expect, test } from 'vitest';
import { architecture, architectureOf } from './arch.ts';

test('the architectures by their Node names', () => {
  expect(architectureOf('x64')).toBe('x86_64');
  expect(architectureOf('arm64')).toBe('arm64');
});

test.each(['riscv64', 'ia32', 'arm', '', '__proto__', 'toString'])('%j is refused with its name', (name) => {
  expect(() => architectureOf(name)).toThrow(
    expect.objectContaining({ code: 'ARCHITECTURE_UNSUPPORTED', message: `the architecture ${name} is not supported` }),
  );
});

test('this process runs on one of them', () => {
  expect(architecture()).toBe(process.arch === 'x64' ? 'x86_64' : 'arm64');
});
