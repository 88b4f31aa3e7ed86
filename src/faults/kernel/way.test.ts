import { describe, expect, it } from 'vitest';
import type { Abilities } from './abilities.ts';
import { chooseWay } from './way.ts';

/** A host with these ways. */
function host(...has: readonly (keyof Abilities)[]): Abilities {
  const ask = (name: keyof Abilities) => () => has.includes(name);
  return {
    override: ask('override'),
    kprobes: ask('kprobes'),
    modifyReturn: ask('modifyReturn'),
    capabilityFor: ask('capabilityFor'),
  };
}

const frame = { function: 'vfs_read', parameters: null, predicate: null };
const asked = {
  failtype: 'slab',
  frames: [],
  condition: null,
  scope: { kind: 'cgroup', path: '/a' },
  probability: 100,
  via: null,
  nth: null,
} as const;
const choose = (more: object, ...has: readonly (keyof Abilities)[]): string =>
  chooseWay('should_failslab', { ...asked, ...more }, host(...has));

describe('the best way that a host has', () => {
  it('is taken', () => {
    expect(choose({}, 'override', 'kprobes', 'modifyReturn', 'capabilityFor')).toBe('override');
    expect(choose({}, 'kprobes', 'modifyReturn', 'capabilityFor')).toBe('fmod_ret');
    expect(choose({}, 'capabilityFor')).toBe('debugfs');
  });

  it('can be lowered, and not raised', () => {
    expect(choose({ via: 'fmod_ret' }, 'override', 'modifyReturn')).toBe('fmod_ret');
    expect(choose({ via: 'debugfs' }, 'override', 'capabilityFor')).toBe('debugfs');
    expect(choose({ nth: 3 }, 'override', 'capabilityFor')).toBe('debugfs');
    expect(() => choose({ via: 'override' }, 'modifyReturn')).toThrow('kprobes cannot override');
    expect(() => choose({ via: 'fmod_ret', nth: 3 }, 'modifyReturn')).toThrow('--nth is not to be had by fmod_ret');
    expect(() => choose({ via: 'debugfs' }, 'override')).toThrow('/sys/kernel/debug/failslab is not there');
  });

  it('does not stand in for one that can do more', () => {
    expect(() => choose({ frames: [frame] }, 'modifyReturn')).toThrow('there are no kprobes');
    expect(() => choose({ frames: [frame] }, 'capabilityFor')).toThrow(/should_failslab/u);
    expect(() => choose({ via: 'debugfs', frames: [frame] }, 'capabilityFor')).toThrow('neither frames nor predicates');
    expect(() => choose({ via: 'debugfs', scope: { kind: 'system' } }, 'capabilityFor')).toThrow('could not spare');
    expect(() => choose({ via: 'debugfs', failtype: null }, 'capabilityFor')).toThrow('no --function');
    expect(() => choose({ nth: 1, probability: 0.5 }, 'capabilityFor')).toThrow('whole percents');
  });
});
