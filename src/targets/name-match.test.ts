import { describe, expect, it } from 'vitest';
import { commOfName, nameMatcher } from './name-match.ts';
import type { ProcessTable } from './process-table.ts';

/** A table in which every process has these arguments. */
function tableWith(argv: readonly string[]): ProcessTable {
  const unknown = () => undefined;
  return { pids: () => [], comm: unknown, confirmedComm: unknown, stat: unknown, status: unknown, argv: () => argv };
}

function matches(name: string, comm: string, argv: readonly string[] = []): boolean {
  const matcher = nameMatcher(name);
  return matcher.maybe(comm) && matcher.matches(tableWith(argv), 1, comm);
}

describe('commOfName', () => {
  it.each([
    ['nginx', 'nginx'],
    ['fifteen-bytes-x', 'fifteen-bytes-x'],
    ['sixteen-bytes-xx', 'sixteen-bytes-x'],
    ['数据库服务器进程', '数据库服务'],
    // The cut goes through a character: the kernel keeps its first byte, which reads as U+FFFD.
    ['fourteen-bytesé', 'fourteen-bytes\u{fffd}'],
  ])('of %s is %s', (name, comm) => expect(commOfName(name)).toBe(comm));
});

describe('nameMatcher', () => {
  it('wants the whole name in the right case', () => {
    expect(matches('nginx', 'nginx')).toBe(true);
    expect(matches('nginx', 'Nginx')).toBe(false);
    expect(matches('nginx', 'nginx2')).toBe(false);
    expect(matches('ngin', 'nginx')).toBe(false);
    expect(matches('nginx*', 'nginx')).toBe(false);
  });

  it('goes by argv[0] only where the name was cut', () => {
    expect(matches('my-long-named-server', 'my-long-named-s', ['/opt/my-long-named-server', '-x'])).toBe(true);
    expect(matches('my-long-named-server', 'my-long-named-s', ['my-long-named-server'])).toBe(true);
    expect(matches('my-long-named-server', 'my-long-named-s', ['/opt/my-long-named-sister'])).toBe(false);
    expect(matches('my-long-named-server', 'my-long-named-s', [])).toBe(false);
    expect(matches('my-long-named-server', 'renamed', ['/opt/my-long-named-server'])).toBe(false);
    expect(matches('java', 'worker', ['/usr/bin/java'])).toBe(false);
  });

  it('takes what the kernel calls it, cut or not', () => {
    expect(matches('my-long-named-s', 'my-long-named-s', ['/opt/my-long-named-server'])).toBe(true);
    expect(matches('kworker/R-kvfree_rcu_reclaim', 'kworker/R-kvfree_rcu_reclaim')).toBe(true);
  });

  it('does not read the arguments of processes with another name', () => {
    const untouchable = { ...tableWith([]), argv: () => expect.unreachable('the arguments were read') };
    expect(nameMatcher('my-long-named-server').matches(untouchable, 1, 'nginx')).toBe(false);
    expect(nameMatcher('nginx').matches(untouchable, 1, 'nginx')).toBe(true);
  });
});
