import { describe, expect, it } from 'vitest';
import { isFaultlineError } from '../../base/error.ts';
import type { JsonObject } from '../../base/json.ts';
import { fuseMethods } from '../../linux/fuse/methods.ts';
import { type IoAction, type IoSpec, notesOf, parseSpec, specFromJson, specToJson } from './spec.ts';

const parse = (action: IoAction, input: JsonObject): Promise<IoSpec> =>
  parseSpec(action, { volume: '/data', ...input });

async function refusal(action: IoAction, input: JsonObject): Promise<string> {
  try {
    await parse(action, input);
  } catch (error) {
    if (!isFaultlineError(error)) throw error;
    return `${error.message} | ${error.hint ?? ''}`;
  }
  throw new Error('it was taken');
}

describe('what attack io takes', () => {
  it('has every default filled in, and survives the journal', async () => {
    const spec = await parse('latency', { delay: '10ms' });
    expect(spec).toEqual({
      volume: '/data',
      inPid: null,
      criteria: null,
      exclude: [],
      seed: null,
      expectHits: false,
      rules: [
        {
          path: null,
          methods: fuseMethods.filter((method) => !['forget', 'access', 'bmap'].includes(method)),
          by: { pids: [], comms: [], uids: [] },
          offsets: null,
          after: 0,
          nth: [],
          every: 1,
          percent: 100,
          count: null,
          disturbances: [{ kind: 'latency', delayMs: 10, jitterMs: 0, distribution: 'constant' }],
        },
      ],
    });
    expect(specFromJson(specToJson(spec))).toEqual(spec);
  });

  it('takes every filter', async () => {
    const { rules } = await parse('fault', {
      path: '/data/wal/*',
      methods: ['READ', 'write', 'read'],
      errno: 'eio',
      offsetRange: '4K-1M',
      byPid: [1, 2],
      byComm: ['postgres'],
      byUser: ['0', 1000],
      after: 5,
      nth: [1, 3],
      percent: 12.5,
      count: 2,
    });
    expect(rules).toEqual([
      {
        path: '/data/wal/*',
        methods: ['read', 'write'],
        by: { pids: [1, 2], comms: ['postgres'], uids: [0, 1000] },
        offsets: { from: 4096, to: 1_048_576 },
        after: 5,
        nth: [1, 3],
        every: 1,
        percent: 12.5,
        count: 2,
        disturbances: [{ kind: 'errno', choices: [{ errno: 5, weight: 1 }] }],
      },
    ]);
  });

  it.each<readonly [IoAction, JsonObject, unknown]>([
    ['latency', { latency: '1s' }, [{ kind: 'latency', delayMs: 1000, jitterMs: 0, distribution: 'constant' }]],
    [
      'latency',
      { delay: '5ms', jitter: '1ms' },
      [{ kind: 'latency', delayMs: 5, jitterMs: 1, distribution: 'uniform' }],
    ],
    ['latency', { bandwidth: '10MB/s' }, [{ kind: 'bandwidth', bytesPerSecond: 10_000_000 }]],
    ['latency', { bandwidth: 512 }, [{ kind: 'bandwidth', bytesPerSecond: 512 }]],
    ['fault', { errno: 28 }, [{ kind: 'errno', choices: [{ errno: 28, weight: 1 }] }]],
    ['fault', { errno: 'EWOULDBLOCK' }, [{ kind: 'errno', choices: [{ errno: 11, weight: 1 }] }]],
    [
      'fault',
      { errno: 'EIO:1,ENOSPC:3,5:0' },
      [
        {
          kind: 'errno',
          choices: [
            { errno: 5, weight: 1 },
            { errno: 28, weight: 3 },
          ],
        },
      ],
    ],
    ['fault', { faults: [{ errno: 5, weight: 2 }] }, [{ kind: 'errno', choices: [{ errno: 5, weight: 2 }] }]],
    ['fault', { short: '1K' }, [{ kind: 'short', maxBytes: 1024 }]],
    ['fault', { short: 'random' }, [{ kind: 'short', maxBytes: null }]],
    ['attr-override', { attr: { perm: 72 } }, [{ kind: 'attributes', attr: { perm: 0o110 } }]],
    [
      'attr-override',
      { attr: ['perm=0644', 'size=0', 'mtime=1970-01-01T00:00:01.5Z', 'atime=1.5', 'kind=directory'] },
      [
        {
          kind: 'attributes',
          attr: {
            perm: 0o644,
            size: '0',
            mtime: { sec: 1, nsec: 500_000_000 },
            atime: { sec: 1, nsec: 500_000_000 },
            kind: 'directory',
          },
        },
      ],
    ],
    ['mistake', {}, [{ kind: 'mistake', filling: 'random', maxOccurrences: 1, maxLength: 1 }]],
    [
      'mistake',
      { mistake: { filling: 'zero', maxLength: 3 } },
      [{ kind: 'mistake', filling: 'zero', maxOccurrences: 1, maxLength: 3 }],
    ],
  ])('%s %j', async (action, input, disturbances) => {
    const { rules } = await parse(action, input);
    expect(rules[0]?.disturbances).toEqual(disturbances);
  });

  it('reaches by default what the fault can reach', async () => {
    const methods = async (action: IoAction, input: JsonObject) => (await parse(action, input)).rules[0]?.methods;
    expect(await methods('mistake', {})).toEqual(['read', 'write']);
    expect(await methods('fault', { short: 1 })).toEqual(['read', 'write']);
    expect(await methods('latency', { bandwidth: 1 })).toEqual(['read', 'write']);
    expect(await methods('latency', { delay: '1s', offsetRange: '0-1' })).toEqual(['read', 'write']);
    expect(await methods('attr-override', { attr: { size: 0 } })).toContain('getattr');
    const failing = await methods('fault', { errno: 5 });
    expect(fuseMethods.filter((method) => failing?.includes(method) !== true)).toEqual([
      'forget',
      'release',
      'releasedir',
      'access',
      'bmap',
    ]);
  });

  it('takes all methods by name, and tells which of them are left alone and why', async () => {
    const spec = await parse('fault', { errno: 5, methods: [...fuseMethods] });
    expect(spec.rules[0]?.methods).toEqual(fuseMethods);
    expect(notesOf(spec).map((note) => note.split(' ')[0])).toEqual([
      'forget',
      'release',
      'releasedir',
      'access',
      'bmap',
    ]);
    expect(notesOf(await parse('latency', { delay: '1s' }))).toEqual([]);
  });

  it('keeps what chooses processes, and refuses a choice among nobody', async () => {
    expect(await parse('latency', { delay: '1s', process: 'postgres', exclude: ['a'], seed: 7 })).toMatchObject({
      criteria: { process: 'postgres', exclude: ['a'] },
      exclude: ['a'],
      seed: '7',
    });
    expect(await parse('latency', { delay: '1s', exclude: ['a'] })).toMatchObject({ criteria: null, exclude: ['a'] });
    expect(await refusal('latency', { delay: '1s', newest: true })).toContain('--newest chooses among processes');
    expect(await refusal('latency', { delay: '1s', process: '0' })).toContain('is no process ID');
  });

  it.each([
    ['/data/', '/data'],
    ['//data/./sub//', '/data/sub'],
  ])('takes the volume %s for %s', async (volume, plain) => {
    expect(await parse('mistake', { volume })).toMatchObject({ volume: plain });
    expect(await parseSpec('mistake', { volumePath: volume })).toMatchObject({ volume: plain });
  });

  it.each<readonly [IoAction, JsonObject, string]>([
    ['latency', { volume: 'data', delay: '1s' }, 'relative path'],
    ['latency', { volume: '/', delay: '1s' }, 'cannot be /'],
    ['latency', { volume: '/data/../etc', delay: '1s' }, '".." in it'],
    ['latency', { volume: '/a\nb', delay: '1s' }, 'control or invisible'],
    ['latency', {}, 'nothing says how slow'],
    ['latency', { delay: '-5ms' }, '--delay "-5ms" is negative'],
    ['latency', { delay: '10' }, '--delay "10" is not a duration'],
    ['latency', { delay: '0s' }, 'must be above zero'],
    ['latency', { jitter: '1s' }, 'there is none'],
    ['latency', { delay: '1s', distribution: 'pareto' }, 'add --jitter'],
    ['latency', { delay: '1s', jitter: '1s', distribution: 'constant' }, 'has no jitter'],
    ['latency', { delay: '1s', distribution: 'poisson' }, 'it is one of: constant, uniform, normal, pareto'],
    ['latency', { bandwidth: '0' }, 'at least one byte'],
    ['latency', { bandwidth: 'fast' }, '--bandwidth "fast" is not a number of bytes'],
    ['latency', { delay: '1s', percent: 101 }, 'percent (--percent) is not valid: 101'],
    ['latency', { delay: '1s', percent: -1 }, 'percent (--percent) is not valid: -1'],
    ['latency', { delay: '1s', path: '/data/[' }, '--path is not a valid pattern'],
    ['latency', { delay: '1s', path: 'wal/*' }, 'a path is absolute'],
    ['latency', { delay: '1s', path: '/log/**' }, '/log/** matches nothing in the volume /data | begin it with'],
    ['latency', { delay: '1s', methods: ['raed'] }, 'there is no method "raed" | did you mean read?'],
    ['latency', { delay: '1s', methods: ['frobnicate'] }, 'there is: lookup, forget'],
    ['latency', { delay: '1s', methods: ['bmap'] }, 'cannot reach bmap: the kernel asks for bmap only'],
    ['latency', { delay: '1s', bandwidth: 1, methods: ['fsync'] }, 'cannot reach fsync: a bandwidth limits'],
    ['latency', { delay: '1s', nth: [1], every: 2 }, 'exclude each other'],
    ['latency', { delay: '1s', nth: [0] }, 'is not valid: 0'],
    ['latency', { delay: '1s', count: 0 }, 'is not valid: 0'],
    ['latency', { delay: '1s', offsetRange: '5' }, 'is no range'],
    ['latency', { delay: '1s', offsetRange: '5-5' }, 'is empty'],
    ['latency', { delay: '1s', offsetRange: '0-1', methods: ['fsync'] }, 'means nothing for fsync'],
    ['latency', { delay: '1s', dealy: '1s' }, 'there is nothing called dealy here'],
    ['fault', {}, 'nothing says what is to fail'],
    ['fault', { errno: 5, short: 1 }, 'give --errno or --short'],
    ['fault', { errno: 'EOI' }, 'there is no errno "EOI" | did you mean EIO?'],
    ['fault', { errno: 41 }, 'Linux has no errno 41'],
    ['fault', { errno: 0 }, 'Linux has no errno 0'],
    ['fault', { errno: -5 }, 'the errno -5 is negative | write 5'],
    ['fault', { errno: 'ENOSYS' }, 'would outlast the fault'],
    ['fault', { errno: 'EIO:0' }, 'all errnos have the weight 0'],
    ['fault', { errno: 'EIO:x' }, 'the weight x is not valid'],
    ['fault', { errno: 'EIO:1:2' }, 'no errno with a weight'],
    ['fault', { errno: 5, methods: ['release'] }, 'use flush'],
    ['fault', { short: '0' }, 'at least one byte'],
    ['mistake', { methods: ['getattr'] }, 'it can reach: read, write'],
    ['mistake', { maxLength: 0 }, 'is not valid: 0'],
    ['mistake', { filling: 'one' }, 'it is one of: zero, random'],
    ['mistake', { mistake: 3 }, 'mistake must be an object'],
    ['attr-override', {}, 'attr (--attr) is missing'],
    ['attr-override', { attr: {} }, 'no attribute is to be overridden'],
    ['attr-override', { attr: ['size'] }, '"size" is no attribute with a value'],
    ['attr-override', { attr: ['sice=1'] }, 'there is no attribute "sice" | did you mean size?'],
    ['attr-override', { attr: ['perm=644'] }, 'in octal with a leading zero'],
    ['attr-override', { attr: ['perm=0999'] }, 'in octal'],
    ['attr-override', { attr: { perm: 4096 } }, 'a whole number from 0 to 4095'],
    ['attr-override', { attr: { size: -1 } }, 'size cannot be -1'],
    ['attr-override', { attr: { size: 2 ** 60 } }, 'a whole number from 0 to 9223372036854775807'],
    ['attr-override', { attr: { uid: 2 ** 32 } }, 'uid cannot be'],
    ['attr-override', { attr: { kind: 'folder' } }, 'kind cannot be folder | there is: namedPipe'],
    ['attr-override', { attr: ['mtime=yesterday'] }, 'mtime cannot be yesterday'],
    ['attr-override', { attr: { mtime: { sec: 1, nsec: 1e9 } } }, 'mtime cannot be'],
    ['attr-override', { attr: { kind: 'socket' }, percent: 50 }, 'so --percent cannot go with it'],
    ['attr-override', { attr: { kind: 'socket' }, byPid: [1] }, 'so --by-pid cannot go with it'],
  ])('refuses %s %j: %s', async (action, input, expected) => {
    expect(await refusal(action, input)).toContain(expected);
  });

  it('refuses a user that is not there', async () => {
    expect(await refusal('mistake', { byUser: ['no-such-user-here'] })).toContain('there is no user');
  });
});
