import { expect, test } from 'vitest';
import { delay } from '../../../src/base/delay.ts';
import { lateChildren } from '../../../src/faults/kernel/late-children.ts';
import { bootTimeMs, ticksPerSecond } from '../../../src/linux/clock.ts';
import { readStat } from '../../../src/linux/procfs/stat.ts';
import { identityOf } from '../../../src/targets/identity.ts';
import { sleeper } from '../targets/processes.ts';

test('whoever was started since by a process in scope is found, and whoever was there before is not', async () => {
  const self = readStat('self');
  if (self === undefined) throw new Error('this process cannot be seen');
  const older = await sleeper('fl-old');
  const sinceTicks = (readStat(older.pid)?.startTimeTicks ?? 0) + 1;
  while ((bootTimeMs() * ticksPerSecond()) / 1000 < sinceTicks) await delay(5);
  const younger = await sleeper('fl-new');
  const processes = [{ identity: identityOf(self), comm: self.comm }];
  const found = lateChildren({ kind: 'processes', follow: true, processes, sinceTicks });
  expect(found.map(({ pid }) => pid)).toContain(younger.pid);
  expect(found.map(({ pid }) => pid)).not.toContain(older.pid);
  // Of another process they are no children.
  const other = readStat(older.pid);
  if (other === undefined) throw new Error('it has ended');
  const others = [{ identity: identityOf(other), comm: other.comm }];
  expect(lateChildren({ kind: 'processes', follow: true, processes: others, sinceTicks })).toStrictEqual([]);
});
