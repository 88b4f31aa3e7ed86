import type { Counterpart } from './counterparts.ts';
import type { Preparation } from './preparation.ts';
import type { VolumeUser } from './volume-use.ts';

/** Processes that have to stand still at the same time, and those who stay where they are and share something. */
export interface Group {
  readonly busy: readonly VolumeUser[];
  readonly staying: readonly VolumeUser[];
}

/** Something that two processes have in common. */
type Link = Counterpart | string;

/**
 * Divides those who are to be moved into groups, so that nobody stands still for what has nothing to do with them.
 *
 * Together go those who
 * - share an open file description: its position is in use on one side only;
 * - have the same file open: a lock of it (fcntl(2)) is let go of and taken again, and nobody else must get it in
 *   between. Who has one is seen only when they stand still;
 * - have the same file mapped, or the same memory: where data does not pass through, each side has pages of its own.
 */
export function groupsOf(
  busy: readonly VolumeUser[],
  staying: readonly VolumeUser[],
  preparation: Pick<Preparation, 'counterpartsOf'>,
): readonly Group[] {
  const linksOf = (user: VolumeUser): readonly Link[] => [
    ...preparation.counterpartsOf(user),
    ...openFiles(user),
    ...user.maps.map(fileOf),
  ];
  const groups = connected(busy, linksOf);
  return groups.map(({ members, links }) => ({
    busy: members,
    staying: staying.filter((user) => preparation.counterpartsOf(user).some((one) => links.has(one))),
  }));
}

const fileOf = ({ mountId, inode }: { readonly mountId: number; readonly inode: bigint }): string =>
  `file ${mountId} ${inode}`;

function openFiles({ tables }: VolumeUser): readonly string[] {
  return tables.flatMap(({ descriptors }) => descriptors.filter(({ kind }) => kind === 'regular').map(fileOf));
}

interface Component {
  readonly members: VolumeUser[];
  readonly links: Set<Link>;
}

/** Those who are linked, directly or by others, in the order in which they come. */
function connected(users: readonly VolumeUser[], linksOf: (user: VolumeUser) => readonly Link[]): Component[] {
  let components: Component[] = [];
  for (const user of users) {
    const links = linksOf(user);
    const touched = components.filter((one) => links.some((link) => one.links.has(link)));
    const merged: Component = {
      members: [...touched.flatMap(({ members }) => members), user],
      links: new Set([...touched.flatMap((one) => [...one.links]), ...links]),
    };
    components = [...components.filter((one) => !touched.includes(one)), merged];
  }
  return components;
}
