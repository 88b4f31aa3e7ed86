import type { ActionDescriptor, FaultDescriptor } from '../fault.ts';
import type { ObjectKind } from '../object-kind.ts';
import { ioSchemas, placeSchema } from './schema.ts';

const place = [
  'The volume is any folder, mount point or not. While the fault lasts a file system of our own lies over it and ' +
    'hands everything through to what is under it, but for the operations that a rule disturbs. Files that are open ' +
    'already are moved onto it: of all processes that use the volume, or only of those that --process, --cmdline, ' +
    '--user or --cgroup choose. --in-pid says in whose mount namespace the volume is.',
  'An operation is disturbed if its path, its method and who asks for it fit; then --after, --nth and --every count, ' +
    '--percent leaves the rest to chance, and --count ends it. show tells how many were seen, matched and disturbed.',
];

const latency: ActionDescriptor = {
  summary: 'operations on files take longer',
  details: [
    ...place,
    'The delay is the middle of the distributions uniform (give or take the jitter) and normal (the jitter is the ' +
      'standard deviation), and the least of pareto (the jitter is the mean of what comes on top). A bandwidth is ' +
      'one line for all operations of the rule.',
  ],
  schema: ioSchemas.latency,
  examples: [
    {
      command: "attack io latency --volume /data --path '/data/**' --methods read,write --delay 10ms --percent 50",
      does: 'half of all reads and writes take 10 ms longer',
    },
    {
      command: 'attack io latency --volume /data --methods fsync --delay 5ms --jitter 20ms --distribution pareto',
      does: 'fsync has a long tail',
    },
    { command: 'attack io latency --volume /data --bandwidth 1M --duration 30s', does: 'a slow disk, for 30 seconds' },
  ],
};

const fault: ActionDescriptor = {
  summary: 'operations on files fail, or stop early',
  details: place,
  schema: ioSchemas.fault,
  examples: [
    {
      command: "attack io fault --volume /data --path '/data/wal/*' --methods fsync --errno EIO --nth 3",
      does: 'the third fsync of the log fails, once',
    },
    { command: 'attack io fault --volume /data --methods write --errno ENOSPC:9,EIO:1', does: 'a disk that is full' },
    {
      command: 'attack io fault --volume /data --methods read --short random',
      does: 'reads return less than asked for',
    },
  ],
};

const attrOverride: ActionDescriptor = {
  aliases: ['attrOverride'],
  summary: 'files have other attributes than they have',
  details: [
    ...place,
    'Only what is shown is another; the files keep what they have. perm is octal with a leading zero, times are ' +
      '2030-01-31T12:00:00Z or seconds since 1970, kind is one of namedPipe, charDevice, blockDevice, directory, ' +
      'regularFile, symlink, socket.',
  ],
  schema: ioSchemas['attr-override'],
  examples: [
    {
      command: 'attack io attr-override --volume /data --path /data/app.conf --attr perm=0000',
      does: 'nobody may read the file',
    },
    { command: "attack io attr-override --volume /data --path '/data/*.db' --attr size=0", does: 'files seem empty' },
  ],
};

const mistake: ActionDescriptor = {
  summary: 'some of the bytes that are read or written are wrong',
  details: [
    ...place,
    'What is written wrong stays wrong in the file after the fault. With --methods read the file is left as it is.',
  ],
  schema: ioSchemas.mistake,
  examples: [
    {
      command: "attack io mistake --volume /data --path '/data/*.db' --methods read --percent 1",
      does: 'a wrong byte in one of a hundred reads',
    },
    {
      command: 'attack io mistake --volume /data --methods write --filling zero --max-length 512 --offset-range 4K-',
      does: 'lose a piece of what is written, but not in the header',
    },
  ],
};

const rules: ActionDescriptor = {
  summary: 'several faults at once, from a list',
  details: [
    ...place,
    'Each rule has a type, and the fields that the flags of that action have, in camelCase; those of ' +
      "Chaos Mesh's toda are taken as well. Of several errnos for one operation the first stands; delays add up.",
  ],
  schema: ioSchemas.rules,
  examples: [{ command: 'attack io rules --volume /data --rules faults.json', does: 'what the list in the file says' }],
};

/** What there is to know of `attack io` before it is used. */
export const ioActions: Readonly<Record<keyof typeof ioSchemas, ActionDescriptor>> = {
  latency,
  fault,
  'attr-override': attrOverride,
  mistake,
  rules,
};

/** The file of an IOChaos names its volume; the rest of the place it cannot know. */
const { volume: _named, ...placeProperties } = placeSchema.properties;

const ioChaos: ObjectKind = {
  kind: 'IOChaos',
  properties: placeProperties,
  selection: ['process', 'cmdline', 'user', 'cgroup', 'inPid'],
  unselected: 'all processes in this mount namespace that use the volume are meant',
  load: async () => (await import('./iochaos.ts')).ioChaosReader,
};

export const ioFault: FaultDescriptor = {
  kind: 'io',
  summary: 'Disturb what processes do with the files of a folder',
  actions: ioActions,
  objects: [ioChaos],
  load: async () => (await import('./fault.ts')).ioFaultBehaviour,
  programs: {
    daemon: async () => (await import('./daemon/daemon.ts')).runDaemon,
    repointer: async () => (await import('./daemon/repointer.ts')).runErrand,
  },
};
