import { describe, expect, it } from 'vitest';
import type { AttributeChanges } from '../rule.ts';
import { operation, someAttributes } from '../test-support/operations.ts';
import { attributes } from './attributes.ts';
import { emptyDraft } from './disturbance.ts';

function altered(attr: AttributeChanges) {
  const draft = emptyDraft();
  attributes({ kind: 'attributes', attr }).disturb(draft, operation({ method: 'getattr' }), 1);
  const target = someAttributes();
  draft.alterAttributes?.(target);
  return target;
}

describe('attributes', () => {
  it('are all that were given, and no others', () => {
    expect(altered({ size: '9223372036854775807' })).toEqual({ ...someAttributes(), size: 2n ** 63n - 1n });
    expect(
      altered({
        ino: '1',
        size: '0',
        blocks: '3',
        atime: { sec: 4, nsec: 5 },
        mtime: { sec: -1, nsec: 6 },
        ctime: { sec: 0, nsec: 0 },
        kind: 'socket',
        perm: 0o4711,
        nlink: 7,
        uid: 8,
        gid: 9,
        rdev: 10,
      }),
    ).toEqual({
      inode: 1n,
      size: 0n,
      blocks: 3n,
      atimeNs: 4_000_000_005n,
      mtimeNs: -999_999_994n,
      ctimeNs: 0n,
      mode: 0o144_711,
      links: 7,
      uid: 8,
      gid: 9,
      rdev: 10,
    });
  });

  it('have a type and permissions that change one without the other', () => {
    expect(altered({ perm: 0 }).mode).toBe(0o100_000);
    expect(altered({ kind: 'directory' }).mode).toBe(0o040_640);
  });

  it('leave the type of the root as it is', () => {
    const disturbance = attributes({ kind: 'attributes', attr: { kind: 'symlink' } });
    expect(disturbance.applies(operation({ method: 'getattr', path: '/' }))).toBe(false);
    expect(disturbance.applies(operation({ method: 'getattr', path: '/a' }))).toBe(true);
  });
});
