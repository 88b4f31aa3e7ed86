import { describe, expect, it } from 'vitest';
import { parseRuleList } from './toda.ts';

const parse = (...rules: readonly unknown[]) => parseRuleList(rules, '/mnt/test');

describe('lists of rules', () => {
  it("takes toda's", async () => {
    const rules = await parse(
      { type: 'latency', path: '/mnt/test/*', methods: ['read', 'write'], percent: 100, latency: '1s 500ms' },
      {
        type: 'fault',
        path: '/mnt/test/*',
        methods: ['READ'],
        percent: 0,
        faults: [
          { errno: 1, weight: 1 },
          { errno: 5, weight: 3 },
        ],
        source: 'default/io',
      },
      { type: 'attrOverride', path: '/mnt/test/attr/*', percent: 100, mtime: { sec: 0, nsec: 0 }, perm: 40 },
      {
        type: 'attrOverride',
        path: '/mnt/test/**',
        percent: 100,
        atime: { secs_since_epoch: 3, nanos_since_epoch: 4 },
      },
      { type: 'mistake', percent: 50, mistake: { filling: 'zero', maxOccurrences: 2, maxLength: 10 } },
    );
    expect(rules.map(({ path, percent }) => [path, percent])).toEqual([
      ['/mnt/test/*', 100],
      ['/mnt/test/*', 0],
      ['/mnt/test/attr/*', 100],
      ['/mnt/test/**', 100],
      [null, 50],
    ]);
    expect(rules.map(({ disturbances }) => disturbances[0])).toEqual([
      { kind: 'latency', delayMs: 1500, jitterMs: 0, distribution: 'constant' },
      {
        kind: 'errno',
        choices: [
          { errno: 1, weight: 1 },
          { errno: 5, weight: 3 },
        ],
      },
      { kind: 'attributes', attr: { mtime: { sec: 0, nsec: 0 }, perm: 40 } },
      { kind: 'attributes', attr: { atime: { sec: 3, nsec: 4 } } },
      { kind: 'mistake', filling: 'zero', maxOccurrences: 2, maxLength: 10 },
    ]);
    expect(rules[1]?.methods).toEqual(['read']);
  });

  it('takes our own fields in them', async () => {
    const [rule] = await parse({ type: 'fault', errno: 'EIO', nth: [3], count: 1, byComm: ['a'] });
    expect(rule).toMatchObject({ nth: [3], count: 1, by: { comms: ['a'] } });
    const [other] = await parse({ action: 'attr-override', attr: { size: 1 }, ino: 2 });
    expect(other?.disturbances).toEqual([{ kind: 'attributes', attr: { size: '1', ino: '2' } }]);
  });

  it.each<readonly [unknown, string]>([
    [{ type: 'slow' }, 'rule 2 of the list: there is no type "slow"'],
    [{ latency: '1s' }, 'rule 2 of the list: the rule has no type'],
    ['latency', 'rule 2 of the list: the rule has no type'],
    [{ type: 'latency', latency: '1s', percnt: 5 }, 'rule 2 of the list: there is nothing called percnt here'],
    [{ type: 'latency', latency: '1s', path: '/mnt/[' }, 'rule 2 of the list: --path is not a valid pattern'],
    [{ type: 'latency', latency: '1s', path: '/etc/**' }, 'rule 2 of the list: --path /etc/** matches nothing'],
    [{ type: 'fault', faults: [{ errno: 5 }] }, 'rule 2 of the list: errno'],
    [{ type: 'fault', faults: [] }, 'rule 2 of the list: errno'],
    [{ type: 'latency', latency: '1s', volume: '/x' }, 'rule 2 of the list: there is nothing called volume here'],
  ])('refuses %j with its number', async (rule, message) => {
    await expect(parse({ type: 'mistake' }, rule)).rejects.toThrow(message);
  });
});
