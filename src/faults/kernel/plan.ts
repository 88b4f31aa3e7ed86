import { type JsonObject, toJson } from '../../base/json.ts';
import { count } from '../../base/text.ts';
import { listProgram } from '../../linux/bpf/listing.ts';
import { randomUuid } from '../../linux/random-uuid.ts';
import { identityKey } from '../../targets/identity.ts';
import type { Plan, PlanContext, PlannedTarget } from '../fault.ts';
import { designOf, type PlannedDesign } from './design-of.ts';
import { failPoints } from './fail-points.ts';
import { refuseUnknownFunction } from './functions.ts';
import type { Design, MapReferences } from './programs/design.ts';
import { type Attachment, type PlannedProgram, programsOf } from './programs/programs.ts';
import type { Way } from './schema.ts';
import { chooseScope, type PlannedScope, scopeText } from './scope.ts';
import { type KernelSpec, specFromJson, specToJson } from './spec.ts';

/** What `inject` needs of a plan: plain JSON. */
export interface KernelPlan {
  /** Names this injection's probes; no other has it. */
  readonly key: string;
  readonly spec: KernelSpec;
  readonly scope: PlannedScope;
  readonly way: Way;
}

/** Maps that nobody has made: programs with them can be shown, and not be loaded. */
const unmade: MapReferences = {
  counters: { name: 'counters', fd: 0 },
  threads: { name: 'threads', fd: 0 },
  hits: { name: 'hits', fd: 0 },
  cgroup: { name: 'cgroup', fd: 0 },
  processes: { name: 'processes', fd: 0 },
};

function attachmentText(attachment: Attachment): string {
  switch (attachment.kind) {
    case 'entry':
      return `kprobe at the beginning of ${attachment.function}`;
    case 'return':
      return `kretprobe at the end of ${attachment.function}`;
    case 'override':
      return `kprobe at the beginning of ${attachment.function}, overriding what it returns`;
    case 'modify-return':
      return `fmod_ret in place of ${attachment.function}`;
    case 'tracepoint':
      return `raw tracepoint ${attachment.name}`;
  }
}

function listingOf(programs: readonly PlannedProgram[]): readonly string[] {
  return programs.flatMap(({ name, attachment, program }) => [
    `Program ${name}: ${count(program.instructions.length, 'instruction')}, ${attachmentText(attachment)}`,
    ...listProgram(program).map((line) => `  ${line}`),
  ]);
}

function chainText({ frames, fail }: Design): string {
  return [...frames.map((frame) => frame.function), fail.function].join(' → ');
}

function often(probability: number, times: number | null): string {
  const chance = probability === 100 ? '' : `, in ${probability}% of the cases`;
  return `${chance}${times === null ? '' : `, ${count(times, 'time')} at most`}`;
}

/** What the functions are, whoever is hit. */
function failTarget(key: string, { design, way }: PlannedDesign, spec: KernelSpec, scope: PlannedScope): PlannedTarget {
  const { probability, times, nth } = spec;
  if (design === null) {
    const { function: name } = failPoints[spec.failtype ?? 'slab'];
    const when = nth === null ? often(probability, times) : `, once in each thread, at call ${nth}`;
    const about = toJson({ function: name, frames: 0, via: way, scope }) as JsonObject;
    return { key, label: name, does: `fails ${scopeText(scope)}${when}`, about };
  }
  const { fail, frames } = design;
  return {
    key,
    label: chainText(design),
    does: `returns ${fail.result} ${scopeText(scope)}${often(probability, times)}`,
    about: toJson({ function: fail.function, frames: frames.length, via: way, scope }) as JsonObject,
  };
}

function processTargets(key: string, scope: PlannedScope): readonly PlannedTarget[] {
  if (scope.kind !== 'processes') return [];
  return scope.processes.map(({ identity, comm }) => ({
    key: `${key}:${identityKey(identity)}`,
    label: `pid ${identity.pid} (${comm})`,
    does: 'is hit',
    about: toJson({ pid: identity.pid, startTimeTicks: identity.startTimeTicks, comm }) as JsonObject,
  }));
}

const wayText: Readonly<Record<Way, string>> = {
  override: 'by kprobes that override what a function returns (BPF_KPROBE_OVERRIDE), the best way there is',
  fmod_ret: 'by fmod_ret, as kprobes cannot override what a function returns here',
  debugfs: "by the kernel's own fault injection (debugfs), as programs cannot change what a function returns here",
};

function debugfsNotes({ scope, nth }: KernelSpec): readonly string[] {
  return [
    'what the threads start from now on fails, too',
    ...(scope.kind === 'cgroup' ? ['who joins the cgroup later does not'] : []),
    ...(nth === null ? [] : ['calls of other kinds that the kernel can fail are counted with these']),
  ];
}

function notesOf(spec: KernelSpec, way: Way): readonly string[] {
  const { failtype, headers, scope, frames, via } = spec;
  return [
    ...(failtype === null ? [] : [failPoints[failtype].fails]),
    via === null ? wayText[way] : `by ${way}, as asked for`,
    ...(way === 'debugfs' ? debugfsNotes(spec) : []),
    ...(headers.length === 0 ? [] : ['headers are not needed and not read: the types are those of the running kernel']),
    ...(failtype === 'bio'
      ? ['writes that were cached are written back later by threads of the kernel, which are in no cgroup of yours']
      : []),
    ...(scope.kind === 'system' && frames.length === 0
      ? ['the whole host is hit: what it runs may not survive it']
      : []),
  ];
}

/**
 * Which functions fail, and for whom. Changes nothing.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, CGROUP_NOT_FOUND, PROCESS_NOT_FOUND, GUARD_PROTECTED, HOST_UNSUPPORTED
 */
export function planFailure(spec: KernelSpec, context: PlanContext): Plan {
  const { scope, leftOut, matched } = chooseScope(spec.scope, context);
  // What is injected is told by the kernel itself that there is no such function, which takes less time.
  if (context.preview) for (const frame of spec.frames) refuseUnknownFunction(frame.function);
  const planned = designOf(spec, scope, context.host.architecture);
  const uuid = randomUuid();
  const data: KernelPlan = { key: uuid, spec, scope, way: planned.way };
  // There is one fault injection in the kernel: one injection at a time has it.
  const key = planned.way === 'debugfs' ? 'kernel:debugfs' : `kernel:${uuid}`;
  const targets = [failTarget(key, planned, spec, scope), ...processTargets(key, scope)];
  const plan: Plan = {
    kind: 'kernel',
    action: 'fail',
    targets,
    leftOut,
    matched: Math.max(targets.length, matched),
    sustained: true,
    tended: true,
    notes: notesOf(spec, planned.way),
    ...(context.preview && planned.design !== null ? { listing: listingOf(programsOf(planned.design, unmade)) } : {}),
    data: { ...(toJson(data) as JsonObject), spec: specToJson(spec) },
  };
  designs.set(plan, planned);
  return plan;
}

/** What was compiled for a plan, kept for who carries it out. */
const designs = new WeakMap<Plan, PlannedDesign>();

/** @returns undefined: it was planned elsewhere */
export function plannedDesign(plan: Plan): PlannedDesign | undefined {
  return designs.get(plan);
}

/** Back from the journal's plan. */
export function kernelPlanOf({ data }: Pick<Plan, 'data'>): KernelPlan {
  const plan = data as unknown as KernelPlan;
  return { ...plan, spec: specFromJson(data['spec'] as JsonObject) };
}
