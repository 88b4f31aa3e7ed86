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
} from '../../base/schema-types.ts';
import { criteriaProperties } from '../../targets/schema.ts';

/** Ways to make a function fail, the best first. */
export const ways = ['override', 'fmod_ret', 'debugfs'] as const;

export type Way = (typeof ways)[number];

const show = (presentation: Presentation): Presentation => presentation;

const text = (presentation: Presentation) => optional(string({ ...presentation, minLength: 1, maxLength: 65_536 }));

const flag = (description: string) => optional(boolean(show({ description })));

/** One function of a call chain, as KernelChaos has it. */
const callFrame = object(
  {
    funcname: optional(string({ maxLength: 512 })),
    parameters: optional(string({ maxLength: 4096 })),
    predicate: optional(string({ maxLength: 65_536 })),
  },
  { additionalProperties: false },
);

const failtype = union([integer(), string()], {
  ...show({
    description: 'What fails: slab or 0 (kmalloc and caches), page or 1 (pages of memory), bio or 2 (block I/O)',
    placeholder: 'TYPE',
  }),
});

/** What KernelChaos has in `failKernRequest`. */
const requestProperties = {
  failtype: optional(failtype),
  callchain: optional(
    array(callFrame, {
      ...show({
        description: 'The call chain as KernelChaos has it, as a list in a file of JSON, the outermost frame first',
        placeholder: 'FILE',
        completion: 'file',
        inFile: true,
      }),
      maxItems: 16,
    }),
  ),
  headers: optional(
    array(string({ maxLength: 512 }), {
      ...show({
        description: 'Taken for the sake of KernelChaos and not needed: types come from the kernel itself',
        placeholder: 'HEADER,…',
        separator: ',',
      }),
      maxItems: 256,
    }),
  ),
  probability: optional(
    number({
      ...show({
        description: 'In so many percent of the calls of the outermost frame, by chance (default 100)',
        placeholder: 'P',
      }),
      exclusiveMinimum: 0,
      maximum: 100,
    }),
  ),
  times: optional(
    integer({
      ...show({ description: 'Fail no more often than this, on all processors together', placeholder: 'N' }),
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
    }),
  ),
};

/** chaosd has no such attack: its help must not take this flag for its own. */
const { chaosd: _notChaosds, ...processProperty } = criteriaProperties.process as typeof criteriaProperties.process &
  Presentation;

/** Who is hit. A cgroup must be one of version 2. */
const scopeProperties = {
  cgroup: criteriaProperties.cgroup,
  process: processProperty as typeof criteriaProperties.process,
  children: criteriaProperties.children,
  systemWide: flag('Hit every process of the host but init and Faultline'),
  yesSystemWide: flag('Really hit the whole host where neither a frame nor a predicate narrows it down'),
};

const kernelProperties = {
  ...requestProperties,
  frame: optional(
    array(string({ minLength: 1, maxLength: 70_000 }), {
      ...show({
        description: "Only within this function: 'FUNC(PARAMETERS)(PREDICATE)'; several times, the outermost first",
        placeholder: 'FRAME',
      }),
      minItems: 1,
      maxItems: 16,
    }),
  ),
  spec: text({
    description: "The frames as bcc's inject.py takes them: the innermost first, with => between them",
    placeholder: 'FRAME => …',
  }),
  function: text({
    description: "Fail this function in place of a fail type; it must be in the kernel's error-injection list",
    placeholder: 'NAME',
  }),
  errno: text({
    description: 'What the function fails with (default ENOMEM); with --function',
    placeholder: 'ERRNO',
  }),
  via: optional(
    string({
      ...show({
        description: `How, where the best that the host has is not what is wanted: ${ways.join(', ')}`,
        placeholder: 'WAY',
      }),
      enum: [...ways],
      pattern: `^(${ways.join('|')})$`,
    }),
  ),
  nth: optional(
    integer({
      ...show({
        description: 'Fail once in each thread, at the Nth call that may fail; only by debugfs (fail-nth)',
        placeholder: 'N',
      }),
      minimum: 1,
      maximum: 0x7fff_ffff,
    }),
  ),
  ...scopeProperties,
  failKernRequest: optional(
    object(requestProperties, {
      ...show({
        description: 'All of it as KernelChaos has it, in a file of JSON',
        placeholder: 'FILE',
        completion: 'file',
        inFile: true,
      }),
      additionalProperties: false,
    }),
  ),
};

function schemaOf<Properties extends TProperties>(properties: Properties): TObject<Properties> {
  return object(properties, { additionalProperties: false });
}

/** What `attack kernel` takes. */
export const kernelSchema = schemaOf(kernelProperties);

/** Who is hit, for what says the rest elsewhere. */
export const kernelScopeProperties = scopeProperties;
