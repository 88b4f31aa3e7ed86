import { expect, test } from 'vitest';
import type { JsonObject } from '../../base/json.ts';
import { parseRule } from './parse-rule.ts';
import { ruleText } from './rule-text.ts';
import type { RuleAction } from './schema.ts';

test.each<readonly [RuleAction, JsonObject, string]>([
  [
    'latency',
    { path: '/data/**', methods: ['read', 'write'], delay: '10ms', jitter: '5ms', percent: 50 },
    'read, write on /data/**, 50 percent: wait 10 ms ± 5 ms (uniform)',
  ],
  [
    'latency',
    { methods: ['read'], bandwidth: '512K' },
    'read on whatever is in the volume: no faster than 512 KiB a second',
  ],
  [
    'fault',
    { path: '/data/wal/*', methods: ['fsync'], errno: 'EIO', nth: [3], byPid: [7], byComm: ['db'] },
    'fsync on /data/wal/* by pid 7 and db, only number 3: fail with EIO',
  ],
  [
    'fault',
    { methods: ['read'], errno: 'EIO:3,ENOSPC:1', offsetRange: '0-4K', after: 2, every: 10, count: 5 },
    'read on whatever is in the volume, bytes 0 B-4 KiB, after the first 2, every 10, up to 5 times: ' +
      'fail with EIO (weight 3) or ENOSPC (weight 1)',
  ],
  ['fault', { methods: ['read'], short: 'random' }, 'read on whatever is in the volume: stop after a random part'],
  [
    'mistake',
    { methods: ['read'], filling: 'zero', maxOccurrences: 2, maxLength: 16 },
    'read on whatever is in the volume: up to 2 × 16 B of wrong bytes (zero)',
  ],
  [
    'attr-override',
    { attr: { size: 7, uid: 0 } },
    '8 kinds of operations on whatever is in the volume: stat shows another size, uid',
  ],
])('%s %j', async (action, input, text) => {
  expect(ruleText(await parseRule(action, input, '/data'))).toBe(text);
});
