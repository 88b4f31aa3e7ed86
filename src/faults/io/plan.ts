import { closeSync } from 'node:fs';
import path from 'node:path';
import { freshSeed } from '../../base/random.ts';
import { FaultlineError } from '../../base/error.ts';
import { type JsonObject, toJson } from '../../base/json.ts';
import { count, printable } from '../../base/text.ts';
import { openFolderOf } from '../../linux/mount/path-lookup.ts';
import { resolveVolume, type Volume } from '../../linux/mount/volume.ts';
import { readNamespace } from '../../linux/procfs/namespaces.ts';
import { displayPath, mountIdsSeenBy, volumeSide } from '../../linux/repoint/volume-side.ts';
import { countUses, type UseCounts, type VolumeUser } from '../../linux/repoint/volume-use.ts';
import { findVolumeUsers, type Scope } from '../../linux/repoint/volume-users.ts';
import { isErrno } from '../../linux/syscall-error.ts';
import { parseCriteria } from '../../targets/criteria.ts';
import { readProcessTable } from '../../targets/process-table.ts';
import { selectProcesses } from '../../targets/select.ts';
import { summaryOf } from '../../targets/target-process.ts';
import type { LeftOut, Plan, PlanContext, PlannedTarget, Site } from '../fault.ts';
import { parseGlob } from './glob.ts';
import { coveredAlready } from './covered.ts';
import { userKey, volumeKey } from './daemon/place.ts';
import { ruleText } from './rule-text.ts';
import type { IoRule } from './rule.ts';
import type { VolumePlan } from './volume-plan.ts';
import { dependsOnChance, type IoAction, type IoSpec, notesOf, specToJson } from './spec.ts';

/** Folders that have to go on working while a volume is disturbed. */
function keptOut({ stateDir, program }: Site) {
  const files = program.map((file) => ({ path: path.dirname(file), what: "Faultline's own program" }));
  return [{ path: stateDir, what: 'the state folder' }, ...files];
}

interface Chosen {
  /** Whose mount namespace it is about. */
  readonly pid: number;
  readonly pids: readonly number[] | null;
  readonly leftOut: readonly LeftOut[];
  readonly matched: number;
}

function soleNamespace(pids: readonly number[]): number | undefined {
  const namespaces = new Set(pids.map((pid) => readNamespace(pid, 'mnt')));
  if (namespaces.size > 1) {
    throw new FaultlineError('ARGUMENT_INVALID', `the processes are in ${namespaces.size} mount namespaces`, {
      hint: 'one injection is about one volume: choose processes of one container, or say --in-pid PID',
    });
  }
  return pids[0];
}

/** Whose view of the files is meant when nothing is said; our own where the other is not ours to look at. */
function viewer({ viewPid = process.pid }: Site): number {
  try {
    return readNamespace(viewPid, 'mnt') === readNamespace(process.pid, 'mnt') ? process.pid : viewPid;
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return process.pid;
    throw error;
  }
}

/** Who is meant, as the criteria say; without criteria everybody in the namespace. */
function choose(spec: IoSpec, context: PlanContext): Chosen {
  const own = viewer(context.site);
  if (spec.criteria === null) return { pid: spec.inPid ?? own, pids: null, leftOut: [], matched: 0 };
  const selection = selectProcesses(parseCriteria(spec.criteria), { protection: context.protection });
  const pids = selection.chosen.map(({ identity }) => identity.pid);
  const pid = spec.inPid ?? soleNamespace(pids);
  const leftOut = selection.leftOut.map(({ process: { identity, comm }, ...why }) => ({
    key: `process:${identity.pid}`,
    label: `pid ${identity.pid} (${comm})`,
    ...why,
  }));
  return { pid: pid ?? own, pids, leftOut, matched: selection.matched.length };
}

function usersOf(volume: Volume, scope: Scope): ReturnType<typeof findVolumeUsers> {
  const rootFd = openFolderOf(volume.pid, volume.realPath);
  try {
    return findVolumeUsers(volumeSide({ kind: 'original', rootFd, mountIds: mountIdsSeenBy(volume.pid) }), scope);
  } finally {
    closeSync(rootFd);
  }
}

const uses: readonly (readonly [keyof UseCounts, string, string])[] = [
  ['descriptors', 'open file', 'open files'],
  ['workingDirectories', 'working directory', 'working directories'],
  ['roots', 'root', 'roots'],
  ['maps', 'map', 'maps'],
];

/** `2 open files, 1 map` */
export function usesText(counts: UseCounts): string {
  const parts = uses.flatMap(([key, one, more]) => (counts[key] === 0 ? [] : [count(counts[key], one, more)]));
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

function plannedUser(user: VolumeUser, volume: string): PlannedTarget {
  const counts = countUses(user);
  return {
    key: userKey(volume, user),
    label: `pid ${user.pid} (${user.comm})`,
    does: `moves ${usesText(counts)}`,
    about: toJson({ pid: user.pid, startTimeTicks: user.startTimeTicks, comm: user.comm, ...counts }) as JsonObject,
    ...(user.refusal === undefined ? {} : { doubt: `stays on the original: ${user.refusal.detail}` }),
  };
}

function volumeTarget(volume: Volume, key: string, spec: IoSpec): PlannedTarget {
  const { pid, mountNamespace, fsType, readOnly, submounts } = volume;
  return {
    key,
    label: volume.path,
    does: `is covered, with ${count(spec.rules.length, 'rule')}`,
    uncounted: true,
    about: toJson({ path: volume.path, pid, mountNamespace, fsType, readOnly, submounts }) as JsonObject,
  };
}

interface Sorted {
  readonly free: readonly VolumeUser[];
  readonly leftOut: readonly LeftOut[];
}

/** Init, sshd, our own shell: their files stay where they are. */
function sortOut(users: readonly VolumeUser[], spec: IoSpec, context: PlanContext): Sorted {
  const table = readProcessTable();
  const excluded = new Set(spec.exclude);
  const free: VolumeUser[] = [];
  const leftOut: LeftOut[] = [];
  for (const user of users) {
    const summary = summaryOf(table, user.pid);
    if (summary === undefined) continue;
    const isExcluded = excluded.has(user.comm) || excluded.has(String(user.pid));
    const why = isExcluded ? { rule: 'excluded', reason: 'it is excluded' } : context.protection(summary, table);
    if (why === undefined) free.push(user);
    else leftOut.push({ key: `user:${user.pid}`, label: `pid ${user.pid} (${user.comm})`, named: false, ...why });
  }
  return { free, leftOut };
}

function unreadableNote(pids: readonly number[]): string {
  const rest = pids.length > fewPids ? ` and ${pids.length - fewPids} more` : '';
  return `what pid ${pids.slice(0, fewPids).join(', ')}${rest} has open is not ours to look at, and is not moved`;
}

/** So many are named. */
const fewPids = 5;

function remarks(volume: Volume, users: readonly VolumeUser[], unreadable: readonly number[]): readonly string[] {
  const registered = users.filter((user) => user.registered.length > 0);
  return [
    ...(volume.shared ? ['mounts are passed on from here, and so is ours: other namespaces see it, too'] : []),
    ...(unreadable.length === 0 ? [] : [unreadableNote(unreadable)]),
    ...registered.map(
      ({ pid, comm }) => `pid ${pid} (${printable(comm)}) uses files by io_uring, which stay as they are`,
    ),
  ];
}

const kindHint = 'kind can be changed only of files that nobody has open: the kernel gives up one whose type changes';

function rulesOfKind({ rules }: IoSpec): readonly IoRule[] {
  return rules.filter(({ disturbances }) =>
    disturbances.some((one) => one.kind === 'attributes' && one.attr.kind !== undefined),
  );
}

/**
 * The kernel gives up a file whose type changes while it is open: whoever has it open would never get it back.
 *
 * @throws {FaultlineError} VOLUME_BUSY
 */
function refuseKindOfOpenFiles(volume: Volume, users: readonly VolumeUser[], spec: IoSpec): void {
  const globs = rulesOfKind(spec).map(({ path: pattern }) => (pattern === null ? undefined : parseGlob(pattern)));
  for (const { pid, comm, tables, maps } of users) {
    const paths = [...tables.flatMap(({ descriptors }) => descriptors), ...maps].map(
      ({ relative }) => `${volume.path}/${displayPath(relative)}`,
    );
    const open = paths.find((file) => globs.some((glob) => glob === undefined || glob.matches(file)));
    if (open === undefined) continue;
    throw new FaultlineError('VOLUME_BUSY', `${printable(open)} is open in pid ${pid} (${printable(comm)})`, {
      hint: kindHint,
    });
  }
}

/**
 * Which volume is covered, and whose open files are moved onto it. Changes nothing.
 *
 * @throws {FaultlineError} VOLUME_INVALID, VOLUME_NOT_FOUND, VOLUME_BUSY, PROCESS_NOT_FOUND, ARGUMENT_INVALID
 */
export function planVolume(action: IoAction, spec: IoSpec, context: PlanContext): Plan {
  const chosen = choose(spec, context);
  const covered = coveredAlready(spec.volume, chosen.pid, context.site);
  if (covered !== undefined) return planToJoin(action, spec, chosen, covered);
  const volume = resolveVolume({ path: spec.volume, pid: chosen.pid, keepOut: keptOut(context.site) });
  const { mountNamespace, mountId } = volume;
  const inode = String(volume.inode);
  const key = volumeKey({ mountNamespace, device: volume.device, inode });
  const scope: Scope =
    chosen.pids === null ? { kind: 'namespace', mountNamespace } : { kind: 'pids', pids: chosen.pids };
  const { users, unreadable } = usersOf(volume, scope);
  const { free, leftOut } = sortOut(users, spec, context);
  refuseKindOfOpenFiles(volume, free, spec);
  const where: VolumePlan = {
    key,
    path: volume.path,
    pid: volume.pid,
    mountNamespace,
    mountId,
    inode,
    pids: chosen.pids === null ? null : free.map(({ pid }) => pid),
    exclude: users.filter((user) => !free.includes(user)).map(({ pid }) => pid),
  };
  return planOf(action, spec, where, {
    targets: [volumeTarget(volume, key, spec), ...free.map((user) => plannedUser(user, key))],
    leftOut: [...chosen.leftOut, ...leftOut],
    matched: Math.max(chosen.matched, 1 + users.length),
    notes: remarks(volume, free, unreadable),
  });
}

/**
 * The rules of this injection beside those that are in force on the volume already, with `--allow-overlap`. Who uses it
 * was moved when it was covered; those who were not asked for then, and are now, are moved when it joins.
 */
function planToJoin(action: IoAction, spec: IoSpec, chosen: Chosen, covered: VolumePlan): Plan {
  const { key, path: label, mountNamespace } = covered;
  if (rulesOfKind(spec).length > 0) {
    // Who has what open of a volume that is covered is not looked up.
    throw new FaultlineError('VOLUME_BUSY', `${printable(label)} is covered already`, { hint: kindHint });
  }
  const { pids, leftOut, matched } = chosen;
  const exclude = covered.exclude.filter((one) => pids?.includes(one) !== true);
  const target: PlannedTarget = {
    key,
    label,
    does: `gets ${count(spec.rules.length, 'more rule')}`,
    uncounted: true,
    about: { path: label, pid: chosen.pid, mountNamespace, covered: true },
  };
  return planOf(
    action,
    spec,
    // Whoever covered it may be gone: if it is given back meanwhile, it is covered anew as we see it.
    { ...covered, pid: chosen.pid, pids, exclude },
    {
      targets: [target],
      leftOut,
      matched: Math.max(matched, 1),
      notes: [`${printable(label)} is covered already: this injection joins the one that did it`],
    },
  );
}

function rulesNotes({ rules }: IoSpec): readonly string[] {
  return rules.map((rule, index) => `rule ${index + 1}: ${ruleText(rule)}`);
}

/** So that it can be repeated. */
function seedNote(spec: IoSpec, seed: string): readonly string[] {
  return spec.seed === null && dependsOnChance(spec) ? [`left to chance with --seed ${printable(seed)}`] : [];
}

function planOf(
  action: IoAction,
  spec: IoSpec,
  volume: VolumePlan,
  rest: Pick<Plan, 'targets' | 'leftOut' | 'matched' | 'notes'>,
): Plan {
  const seed = spec.seed ?? freshSeed();
  return {
    ...rest,
    kind: 'io',
    action,
    sustained: true,
    tended: true,
    notes: [...rulesNotes(spec), ...notesOf(spec), ...seedNote(spec, seed), ...rest.notes],
    data: toJson({ spec: specToJson({ ...spec, seed }), volume }) as JsonObject,
  };
}
