import { describe, expect, it } from 'vitest';
import { FaultlineError } from '../../base/error.ts';
import type { JsonObject } from '../../base/json.ts';
import { parseSpec, specFromJson, specToJson } from './spec.ts';

const seed = { failtype: 0, callchain: [{ funcname: '__x64_sys_mount' }] };

describe('attack kernel', () => {
  it("takes KernelChaos's request as it is", async () => {
    const callchain = [
      { funcname: 'd_alloc_parallel', parameters: 'struct dentry *parent, const struct qstr *name', predicate: '' },
      { funcname: '', parameters: '', predicate: 'gfpflags & 1' },
    ];
    const failKernRequest = { failtype: 2, callchain, headers: ['linux/mmzone.h'], probability: 1, times: 3 };
    const spec = await parseSpec({ failKernRequest, cgroup: '/web' });
    expect(spec).toMatchObject({
      failtype: 'bio',
      frames: [{ function: 'd_alloc_parallel', predicate: null }],
      condition: { parameters: null, predicate: 'gfpflags & 1' },
      probability: 1,
      times: 3,
      headers: ['linux/mmzone.h'],
      scope: { kind: 'cgroup', path: '/web' },
    });
    expect(specFromJson(specToJson(spec))).toStrictEqual(spec);
  });

  it('says the same by flags', async () => {
    const asked = await parseSpec({ failKernRequest: seed, process: 'nginx', children: true });
    expect(
      await parseSpec({ failtype: 'slab', frame: ['__x64_sys_mount'], process: 'nginx', children: true }),
    ).toStrictEqual(asked);
    expect(
      await parseSpec({ failtype: '0', spec: '__x64_sys_mount()', process: 'nginx', children: true }),
    ).toStrictEqual(asked);
    expect(asked).toMatchObject({ probability: 100, times: null, via: null });
  });

  const scoped = { ...seed, cgroup: '/web' };
  it.each<[JsonObject, string, string]>([
    [{ ...scoped, failtype: 3 }, 'there is no fail type "3"', 'slab (0), page (1), bio (2)'],
    [{ ...scoped, probability: 0 }, 'probability (--probability) is not valid: 0', 'a number above 0, up to 100'],
    [{ ...scoped, probability: 101 }, 'probability (--probability) is not valid: 101', 'a number above 0, up to 100'],
    [{ ...scoped, times: -1 }, 'times (--times) is not valid: -1', 'a whole number from 1'],
    [{ ...scoped, frame: ['x'] }, 'the frames are given in several ways', '--frame, --spec and --callchain'],
    [{ ...seed }, 'nothing says who is hit', '--cgroup PATH'],
    [{ ...scoped, process: 'a' }, 'there are several answers to who is hit', 'give one'],
    [{ ...scoped, children: true }, '--children is of --process', 'cgroup'],
    [{ failtype: 0, systemWide: true }, 'this would fail the whole host', '--yes-system-wide'],
    [{ ...scoped, function: 'x' }, '--failtype and --function say two things', 'one'],
    [{ ...scoped, errno: 'EIO' }, '--errno is of --function', 'fixed'],
    [{ function: 'x', errno: 'EFOO', cgroup: '/web' }, 'there is no error "EFOO"', 'errno(3)'],
    [{ cgroup: '/web' }, 'nothing says what fails', '--failtype'],
    [{ ...scoped, callchain: [{ funcname: 'a b' }] }, '"a b" cannot be a function', 'kallsyms'],
    [{ ...scoped, callchain: [{ predicate: '1' }, { funcname: 'a' }] }, 'a frame has no function', 'innermost'],
    [{ failtype: 0, frame: ['f('], cgroup: '/web' }, 'the frame: this parenthesis is not closed', '^'],
    [{ ...scoped, via: 'magic' }, 'via (--via) is not valid: magic', 'override, fmod_ret'],
  ])('refuses %o', async (input, sentence, hint) => {
    const error: unknown = await parseSpec(input).catch((thrown: unknown) => thrown);
    if (!(error instanceof FaultlineError)) throw new Error('it was accepted');
    expect(error.message).toContain(sentence);
    expect(error.hint).toContain(hint);
  });

  it('lets the whole host fail where something narrows it down, or who asks insists', async () => {
    expect((await parseSpec({ ...seed, systemWide: true })).scope).toStrictEqual({ kind: 'system' });
    const insisting = await parseSpec({ failtype: 0, systemWide: true, yesSystemWide: true });
    expect(insisting.scope).toStrictEqual({ kind: 'system' });
  });
});
