import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { processName, setProcessName } from './prctl.ts';

function commOfThread(): string {
  return readFileSync('/proc/thread-self/comm', 'utf8').slice(0, -1);
}

test.each([
  ['faultline', 'faultline'],
  ['exactly15bytes!', 'exactly15bytes!'],
  ['more than fifteen bytes', 'more than fifte'],
  // Seven two-byte letters are fourteen bytes; half of the eighth is not written.
  ['ääääääää', 'äääääää'],
  ['', ''],
])('%j is kept as %j', (name, kept) => {
  const before = processName();
  onTestFinished(() => setProcessName(before));
  setProcessName(name);
  expect(processName()).toBe(kept);
  expect(commOfThread()).toBe(kept);
});

test('the name is the kernel’s', () => {
  expect(processName()).toBe(commOfThread());
});
