import { expect, test } from 'vitest';
import { startReady, startSleep } from '../test-support/processes.ts';
import { type NamespaceKind, readNamespace } from './namespaces.ts';

const isRoot = process.geteuid?.() === 0;
const kinds: readonly NamespaceKind[] = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'];

test.each(kinds)('a child shares our %s namespace', async (kind) => {
  const { pid } = await startSleep();
  expect(readNamespace('self', kind)).toBeGreaterThan(0);
  expect(readNamespace(pid, kind)).toBe(readNamespace('self', kind));
});

test.runIf(isRoot)('a process in a namespace of its own has another number, in that kind alone', async () => {
  const { pid } = await startReady('unshare', ['--uts', 'sh', '-c', 'echo ready; read line']);
  expect(readNamespace(pid, 'uts')).not.toBe(readNamespace('self', 'uts'));
  expect(readNamespace(pid, 'net')).toBe(readNamespace('self', 'net'));
});

test('undefined when there is no such process', () => {
  expect(readNamespace(2 ** 31 - 1, 'pid')).toBeUndefined();
});

test.skipIf(isRoot)('another user’s namespaces are not ours to see', () => {
  expect(() => readNamespace(1, 'pid')).toThrow(
    expect.objectContaining({ code: 'PERMISSION_DENIED', errno: 'EACCES', syscall: 'readlink' }),
  );
});
