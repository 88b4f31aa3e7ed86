import { expect, test } from 'vitest';
import type { Counterpart } from './counterparts.ts';
import { groupsOf } from './groups.ts';
import type { OpenDescriptor, VolumeUser } from './volume-use.ts';

interface Sketch {
  /** Names of the open file descriptions that it has, each of the file of that name. */
  readonly has?: readonly string[];
  /** Files that it has open by descriptions of its own; those with a slash are folders. */
  readonly opens?: readonly string[];
  readonly maps?: readonly string[];
}

const inodeOf = (name: string): bigint => BigInt(`0x${Buffer.from(name).toString('hex')}`);

/** As much of a user as decides whom it goes with. */
function user(name: string, { has = [], opens = [], maps = [] }: Sketch): VolumeUser {
  const descriptors = [
    ...has.map((file) => ({ mountId: 1, inode: inodeOf(file), kind: 'regular' })),
    ...opens.map((file) => ({ mountId: 1, inode: inodeOf(file), kind: file.endsWith('/') ? 'directory' : 'regular' })),
  ] as unknown as readonly OpenDescriptor[];
  const mapped = maps.map((file) => ({ mountId: 1, inode: inodeOf(file) }));
  return { comm: name, tables: [{ tid: 1, size: 0, descriptors }], maps: mapped } as unknown as VolumeUser;
}

function groups(busy: Readonly<Record<string, Sketch>>, staying: Readonly<Record<string, Sketch>> = {}) {
  const descriptions = new Map<string, Counterpart>();
  const held = new Map<VolumeUser, readonly Counterpart[]>();
  const make = (sketches: Readonly<Record<string, Sketch>>): readonly VolumeUser[] =>
    Object.entries(sketches).map(([name, sketch]) => {
      const one = user(name, sketch);
      const counterparts = (sketch.has ?? []).map((description) => {
        const counterpart = descriptions.get(description) ?? ({ path: description } as Counterpart);
        descriptions.set(description, counterpart);
        return counterpart;
      });
      held.set(one, counterparts);
      return one;
    });
  const names = (users: readonly VolumeUser[]): string => users.map(({ comm }) => comm).join(' ');
  return groupsOf(make(busy), make(staying), { counterpartsOf: (one) => held.get(one) ?? [] }).map((group) =>
    [names(group.busy), names(group.staying)].filter((text) => text !== '').join(' / '),
  );
}

test('whoever has nothing in common with another goes alone; a folder is nothing in common', () => {
  expect(groups({ a: { opens: ['log', 'data/'] }, b: { opens: ['db', 'data/'] }, c: {} })).toEqual(['a', 'b', 'c']);
});

test('a shared description binds, also by way of a third', () => {
  expect(groups({ a: { has: ['x'] }, b: { has: ['y'] }, c: { has: ['z'] }, d: { has: ['x', 'y'] } })).toEqual([
    'c',
    'a b d',
  ]);
});

test('so does a file that both have open, or mapped, or one so and one so', () => {
  expect(groups({ a: { opens: ['db'] }, b: { opens: ['db'] }, c: { opens: ['log'] } })).toEqual(['a b', 'c']);
  expect(groups({ a: { maps: ['shm'] }, b: { maps: ['shm'] }, c: { opens: ['shm'] } })).toEqual(['a b c']);
});

test('those who stay are with those who share with them', () => {
  expect(groups({ a: { has: ['x'] }, b: { has: ['y'] } }, { s: { has: ['y'] } })).toEqual(['a', 'b / s']);
});
