import type { Presentation } from '../../base/schema.ts';
import {
  array,
  boolean,
  integer,
  number,
  object,
  optional,
  string,
  type TObject,
  type TProperties,
  union,
  unsafe,
} from '../../base/schema-types.ts';
import { criteriaProperties } from '../../targets/schema.ts';
import { fuseMethods } from '../../linux/fuse/methods.ts';
import { distributions, fillings } from './rule.ts';
import { usualErrnos } from './usual-errnos.ts';

const show = (presentation: Presentation): Presentation => presentation;

const text = (presentation: Presentation) => optional(string({ ...presentation, minLength: 1, maxLength: 4096 }));

const timeText = (description: string) => text({ description, placeholder: 'TIME', completion: 'duration' });

/** One of a few words. A pattern and not a union of literals, so that the error of a wrong one lists the right ones. */
const wordOf = <Word extends string>(
  words: readonly Word[],
  description: string,
  placeholder: string,
  aliases: readonly string[] = [],
) =>
  optional(
    unsafe<Word>(
      string({
        ...show({ description: `${description}: ${words.join(', ')}`, placeholder, aliases }),
        enum: [...words],
        pattern: `^(${words.join('|')})$`,
      }),
    ),
  );

const many = { minItems: 1, maxItems: 1000 };

/** chaosd has no such attack: its help must not take this one for its own, of which it lists only what chaosd has. */
const { chaosd: _notChaosds, ...processProperty } = criteriaProperties.process as typeof criteriaProperties.process &
  Presentation;

/** Where, and whose open files are moved. */
const placeProperties = {
  volume: string({
    ...show({
      description: 'The folder whose files are disturbed, mount point or not, as its users see it',
      placeholder: 'FOLDER',
      completion: 'file',
      aliases: ['volumePath'],
    }),
    minLength: 1,
    maxLength: 4096,
  }),
  inPid: optional(
    integer({
      ...show({
        description: 'See the volume as this process does: in its mount namespace, such as a container',
        placeholder: 'PID',
        completion: 'process',
      }),
      minimum: 1,
    }),
  ),
  ...criteriaProperties,
  process: processProperty as typeof criteriaProperties.process,
  seed: optional(
    union(
      [string(), integer()],
      show({
        description: 'Repeat what is left to chance: the same seed and the same operations give the same faults',
        placeholder: 'TEXT',
      }),
    ),
  ),
  expectHits: optional(boolean(show({ description: 'Fail at the end if no operation was disturbed' }))),
};

/** Which operations. */
const filterProperties = {
  path: text({
    description: "Files whose path, as its users see it, matches: '/data/*.log', '/data/wal/**' (default all)",
    placeholder: 'PATTERN',
  }),
  methods: optional(
    array(string(), {
      ...show({
        description: 'Operations: read, write, fsync, … (default all that the fault can reach)',
        placeholder: 'NAME,…',
        separator: ',',
        offers: fuseMethods,
      }),
      minItems: 1,
      maxItems: 64,
    }),
  ),
  offsetRange: text({
    description: 'Only reads and writes of these bytes: 0-4K is the first 4 KiB, 1M- all from there on',
    placeholder: 'FROM-TO',
  }),
  byPid: optional(
    array(integer({ minimum: 1 }), {
      ...show({
        description: 'Only operations of these processes, with all their threads',
        placeholder: 'PID,…',
        separator: ',',
        completion: 'process',
      }),
      ...many,
    }),
  ),
  byComm: optional(
    array(string({ minLength: 1, maxLength: 64 }), {
      ...show({
        description: 'Only operations of threads of this name, or of processes of this name',
        placeholder: 'NAME,…',
        separator: ',',
      }),
      ...many,
    }),
  ),
  byUser: optional(
    array(union([string({ minLength: 1 }), integer({ minimum: 0 })]), {
      ...show({
        description: 'Only operations of these users, by name or number',
        placeholder: 'USER,…',
        separator: ',',
        completion: 'user',
      }),
      ...many,
    }),
  ),
  after: optional(
    integer({
      ...show({ description: 'Leave so many of the first operations alone', placeholder: 'N' }),
      minimum: 0,
    }),
  ),
  nth: optional(
    array(integer({ minimum: 1 }), {
      ...show({ description: 'Only the Nth operation, counted from 1', placeholder: 'N,…', separator: ',' }),
      ...many,
    }),
  ),
  every: optional(integer({ ...show({ description: 'Only each Nth operation', placeholder: 'N' }), minimum: 1 })),
  percent: optional(
    number({
      ...show({ description: 'So many percent of the operations, by chance (default 100)', placeholder: 'P' }),
      minimum: 0,
      maximum: 100,
    }),
  ),
  count: optional(
    integer({ ...show({ description: 'No more than so many operations', placeholder: 'N' }), minimum: 1 }),
  ),
};

const latencyProperties = {
  delay: text({
    description: 'How long an operation waits before it begins: 10ms, 1.5s',
    placeholder: 'TIME',
    completion: 'duration',
    aliases: ['latency'],
  }),
  jitter: timeText('How much the delay varies'),
  distribution: wordOf(distributions, 'How the delay varies', 'NAME'),
  bandwidth: optional(
    union(
      [integer({ minimum: 1 }), string({ minLength: 1 })],
      show({ description: 'Read and write no faster than this: 512K, 10MB (in a second)', placeholder: 'BYTES' }),
    ),
  ),
};

const weightedErrno = object(
  { errno: union([string(), integer()]), weight: union([integer(), string()]) },
  { additionalProperties: false },
);

const errnoProperties = {
  errno: optional(
    union(
      [string(), integer(), array(weightedErrno, { minItems: 1 })],
      show({
        description: 'What the operations fail with, by name or number; several with weights: EIO:3,ENOSPC:1',
        placeholder: 'ERRNO',
        offers: usualErrnos,
        aliases: ['faults'],
      }),
    ),
  ),
  short: optional(
    union(
      [integer({ minimum: 1 }), string({ minLength: 1 })],
      show({
        description: 'Read or write at most so many bytes of what is asked for, or a random part of it',
        placeholder: 'BYTES|random',
      }),
    ),
  ),
};

const attributeProperties = {
  attr: union([object({}, { additionalProperties: true }), array(string(), { minItems: 1, maxItems: 64 })], {
    ...show({
      description: 'What stat(2) shows: ino, size, blocks, atime, mtime, ctime, kind, perm, nlink, uid, gid, rdev',
      placeholder: 'NAME=VALUE,…',
      separator: ',',
    }),
  }),
};

const mistakeProperties = {
  filling: wordOf(fillings, 'What the wrong bytes are (default random)', 'KIND', ['mistake']),
  maxOccurrences: optional(
    integer({
      ...show({ description: 'Up to so many wrong segments in an operation (default 1)', placeholder: 'N' }),
      minimum: 1,
      maximum: 65_536,
    }),
  ),
  maxLength: optional(
    integer({
      ...show({ description: 'Up to so many bytes in a wrong segment (default 1)', placeholder: 'N' }),
      minimum: 1,
      maximum: 2 ** 30,
    }),
  ),
};

const rulesProperties = {
  rules: array(object({}, { additionalProperties: true }), {
    ...show({
      description: "Several faults at once: a file with a list in JSON, as Chaos Mesh's toda takes it",
      placeholder: 'FILE',
      completion: 'file',
      inFile: true,
    }),
    minItems: 1,
  }),
};

function schemaOf<Properties extends TProperties>(properties: Properties): TObject<Properties> {
  return object(properties, { additionalProperties: false });
}

/** What one rule takes, by action: what a list of rules holds, and what flags say beside the place. */
export const ruleSchemas = {
  latency: schemaOf({ ...latencyProperties, ...filterProperties }),
  fault: schemaOf({ ...errnoProperties, ...filterProperties }),
  'attr-override': schemaOf({ ...attributeProperties, ...filterProperties }),
  mistake: schemaOf({ ...mistakeProperties, ...filterProperties }),
};

export type RuleAction = keyof typeof ruleSchemas;

/** Where it happens, whatever the action. */
export const placeSchema = schemaOf(placeProperties);

/** What `attack io ACTION` takes. */
export const ioSchemas = {
  latency: schemaOf({ ...placeProperties, ...latencyProperties, ...filterProperties }),
  fault: schemaOf({ ...placeProperties, ...errnoProperties, ...filterProperties }),
  'attr-override': schemaOf({ ...placeProperties, ...attributeProperties, ...filterProperties }),
  mistake: schemaOf({ ...placeProperties, ...mistakeProperties, ...filterProperties }),
  rules: schemaOf({ ...placeProperties, ...rulesProperties }),
};
