import type { ActionDescriptor, FaultDescriptor } from '../fault.ts';
import type { ObjectKind } from '../object-kind.ts';
import { kernelSchema, kernelScopeProperties } from './schema.ts';

const fail: ActionDescriptor = {
  summary: 'allocations, block I/O or any function that may fail, fail along a call chain',
  details: [
    'What fails is an allocation of kernel memory (slab), of pages (page) or a block I/O (bio), or a function of ' +
      "the kernel's error-injection list by --function. Without frames it fails wherever it is called.",
    'A frame is a function that a thread must be in: FUNC, FUNC(PARAMETERS) or FUNC(PARAMETERS)(PREDICATE). The ' +
      'parameters are declared as in C, or left out where the kernel knows them by name; the predicate is a ' +
      'condition of C on them: comparisons, && || !, arithmetic, -> . * [], casts, constants of enumerations, ' +
      'STRNCMP(text, "…", length) and STRCMP(text, "…"), which hold where the texts are the same. The last frame ' +
      'may have no FUNC: its predicate is about the parameters of what fails. Other functions may be in between.',
    'Memory that is asked for with __GFP_NOFAIL is never refused. Where something cannot be read, a predicate does ' +
      'not hold. The probability is drawn once for each call of the outermost frame.',
    'The probes are held by a process of their own; when it dies, by whatever, the kernel takes them away.',
  ],
  schema: kernelSchema,
  examples: [
    {
      command: 'attack kernel --failtype slab --frame __x64_sys_mount --cgroup /target --duration 30s',
      does: 'mount(2) runs out of memory in the cgroup',
    },
    {
      command:
        'attack kernel --failtype 0 --process fl-web --frame ' +
        `'d_alloc_parallel(struct dentry *parent, const struct qstr *name)(STRNCMP(name->name, "bananas", 8))'`,
      does: 'only looking for the file bananas fails',
    },
    {
      command: 'attack kernel --function __x64_sys_openat --errno EMFILE --process fl-web --times 3',
      does: 'three calls of openat(2) fail',
    },
    {
      command: 'attack kernel --failtype bio --frame vfs_read --cgroup /target --dry-run',
      does: 'see the programs, and where they would be attached',
    },
  ],
};

const kernelChaos: ObjectKind = {
  kind: 'KernelChaos',
  properties: kernelScopeProperties,
  selection: ['cgroup', 'process', 'systemWide'],
  unselected: 'say --cgroup, --process or --system-wide',
  load: async () => (await import('./kernelchaos.ts')).kernelChaosReader,
};

export const kernelFault: FaultDescriptor = {
  kind: 'kernel',
  summary: 'Make calls within the kernel fail',
  actions: { fail },
  defaultAction: 'fail',
  optional: true,
  objects: [kernelChaos],
  load: async () => (await import('./fault.ts')).kernelFaultBehaviour,
  programs: {
    holder: async () => (await import('./holder/holder.ts')).runHolder,
  },
};
