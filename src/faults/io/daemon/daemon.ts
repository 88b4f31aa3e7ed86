import { closeSync, openSync } from 'node:fs';
import { FaultlineError } from '../../../base/error.ts';
import { type JsonObject, toJson } from '../../../base/json.ts';
import { lockFile } from '../../../linux/flock.ts';
import type { RepointReport } from '../../../linux/repoint/repoint.ts';
import { setProcessName } from '../../../linux/prctl.ts';
import { readStat } from '../../../linux/procfs/stat.ts';
import { liftFileSizeLimit } from '../../../linux/resource-limits.ts';
import { identityOf, type ProcessIdentity } from '../../../targets/identity.ts';
import { createRuleBoard, type InjectionRules, type RuleBoard } from '../shared-rules.ts';
import type { RuleCounts } from '../counters.ts';
import type { VolumePlan } from '../volume-plan.ts';
import { type IoRule, maxRules } from '../rule.ts';
import type { Site } from '../../fault.ts';
import { endingError, type Listener, listenAt } from './channel.ts';
import { daemonPlace, makeDaemonFolder } from './place.ts';
import type { DaemonRequest, JoinAnswer, JoinRequest, LeaveAnswer, LookAnswer } from './protocol.ts';
import { removeTraces } from './record.ts';
import { type Standby, startStandby } from './send-repointer.ts';
import { type CoveredVolume, coverVolume } from './volume.ts';
import { remaining } from './withdraw.ts';

/*
 * The daemon of a volume: one detached process that holds the mount and serves it, from the first injection on that
 * volume to the last. It is asked by a socket, one thing at a time. When it is killed the mount answers nobody, and
 * whoever notices withdraws it; nothing that is needed for that is only in its memory.
 */

/** How long a daemon that nobody has asked for anything stays, in milliseconds. */
const idleMs = 30_000;

/** How often it is tried again to withdraw from those who could not be moved, in milliseconds. */
const retryMs = 1_000;

/** What is in force for one injection. */
interface Tenant {
  readonly seed: string;
  readonly rules: readonly IoRule[];
}

interface Office {
  readonly site: Site;
  readonly key: string;
  readonly self: ProcessIdentity;
  readonly standby: Standby;
  /** By the number of the effect, in the order of their coming. */
  readonly tenants: Map<number, Tenant>;
  /** Who has left is not let in again: its request may have been on its way for long. */
  readonly left: Set<number>;
  /** One after the other. */
  readonly inTurn: <Result>(work: () => Promise<Result>) => Promise<Result>;
  board: RuleBoard | undefined;
  volume: CoveredVolume | undefined;
  /** All is withdrawn: another daemon takes over. */
  isOver: boolean;
  /** Until it is tried again to withdraw. */
  retry: NodeJS.Timeout | undefined;
  /** Called when nothing is left to do. */
  readonly close: () => void;
}

function say(text: string): void {
  process.stderr.write(`${new Date().toISOString()} ${text}\n`);
}

function rulesOf({ tenants }: Office): readonly InjectionRules[] {
  return [...tenants].map(([injection, { seed, rules }]) => ({ injection, seed, rules }));
}

/** @returns the counts of one injection's rules */
function countsOf({ board, tenants }: Office, effect: number): readonly RuleCounts[] | null {
  return board === undefined || !tenants.has(effect) ? null : board.counts(effect);
}

/** @throws {FaultlineError} VOLUME_BUSY */
function refuseTooMany(office: Office): void {
  const rules = rulesOf(office).reduce((sum, one) => sum + one.rules.length, 0);
  if (rules <= maxRules) return;
  throw new FaultlineError('VOLUME_BUSY', `the volume would have ${rules} rules, and may have ${maxRules}`, {
    hint: 'recover another injection on it first',
  });
}

async function publish(office: Office): Promise<void> {
  office.board?.publish(rulesOf(office));
  await office.volume?.rulesChanged();
}

/**
 * Have the volume's users moved onto it, and the rules in force after that. Meanwhile none is: what is asked for in
 * order to move them must neither fail nor wait while they stand still. But the rules are known, so that what is opened
 * is opened as they need it.
 */
async function moveUsers(office: Office, volume: CoveredVolume, plan: VolumePlan): Promise<RepointReport> {
  office.board?.publish(rulesOf(office), { paused: true });
  try {
    await volume.rulesChanged();
    return await volume.moveOnto(plan);
  } finally {
    office.board?.publish(rulesOf(office));
  }
}

/** @throws {FaultlineError} then the volume is as it was */
async function cover(office: Office, { effect, volume, seed, rules }: JoinRequest): Promise<CoveredVolume> {
  const board = createRuleBoard(volume.path);
  office.board = board;
  // Known from the first open on: how a file is opened depends on whether a rule is about it.
  board.publish([{ injection: effect, seed, rules }], { paused: true });
  const { site, key, self, standby } = office;
  const place = daemonPlace(site.stateDir, key);
  const onFailure = (failure: unknown): void => {
    say(`a thread of the data plane: ${JSON.stringify(failure, Object.getOwnPropertyNames(Object(failure)))}`);
  };
  const setting = { place, program: site.program, standby, self, rules: board.shared, onFailure };
  const covered = await coverVolume(setting, volume);
  office.volume = covered;
  // Those who could not be moved may end by themselves.
  void covered.over.then(() => {
    if (office.tenants.size === 0) finish(office);
  });
  return covered;
}

async function join(office: Office, request: JoinRequest): Promise<JoinAnswer> {
  if (office.left.has(request.effect)) {
    throw new FaultlineError('INJECTION_CANCELLED', 'the injection has been undone meanwhile');
  }
  if (office.isOver) throw endingError();
  if (office.volume !== undefined && office.tenants.size === 0) {
    throw new FaultlineError('VOLUME_BUSY', 'the volume is still used by somebody who could not be moved back', {
      hint: 'faultline show tells of whom, for the injection before; try again when that has ended',
    });
  }
  const volume = office.volume ?? (await cover(office, request));
  const { seed, rules } = request;
  office.tenants.set(request.effect, { seed, rules });
  try {
    refuseTooMany(office);
    const report = await moveUsers(office, volume, request.volume);
    const { mountId, passthrough } = volume;
    return { daemon: office.self, mountId, passthrough, unreached: volume.unreached(rules), report };
  } catch (error) {
    await leave(office, request.effect);
    throw error;
  }
}

/** Nothing is left to serve. */
function finish(office: Office): void {
  if (office.isOver) return;
  office.isOver = true;
  clearTimeout(office.retry);
  removeTraces(daemonPlace(office.site.stateDir, office.key));
  office.close();
}

async function uncover(office: Office, volume: CoveredVolume): Promise<Pick<LeaveAnswer, 'report' | 'lost'>> {
  if (office.isOver) return { report: null, lost: [] };
  try {
    const { report, lost } = await volume.withdraw();
    if (remaining(report).length === 0 && (await volume.ended())) finish(office);
    return { report, lost };
  } finally {
    // Whoever is left is served as long as it takes; nothing of it is disturbed.
    tryAgain(office, volume);
  }
}

/** Unless all is withdrawn. */
function tryAgain(office: Office, volume: CoveredVolume): void {
  if (office.isOver) return;
  clearTimeout(office.retry);
  office.retry = setTimeout(() => {
    office
      .inTurn(() => uncover(office, volume))
      .catch((error: unknown) => {
        say(`withdrawing: ${String(error)}`);
      });
  }, retryMs);
}

async function leave(office: Office, effect: number): Promise<LeaveAnswer> {
  const hadVolume = office.volume !== undefined;
  const counts = countsOf(office, effect);
  office.left.add(effect);
  office.tenants.delete(effect);
  await publish(office);
  const others = office.tenants.size;
  if (others > 0) return { hadVolume, counts, others, report: null, lost: [] };
  if (office.volume === undefined) {
    office.close();
    return { hadVolume, counts, others, report: null, lost: [] };
  }
  return { hadVolume, counts, others, ...(await uncover(office, office.volume)) };
}

function look(office: Office, effect: number): LookAnswer {
  return { counts: countsOf(office, effect) };
}

async function answer(office: Office, request: DaemonRequest): Promise<JoinAnswer | LeaveAnswer | LookAnswer> {
  switch (request.ask) {
    case 'join':
      return join(office, request);
    case 'leave':
      return leave(office, request.effect);
    case 'look':
      return look(office, request.effect);
  }
}

/** Looking does not wait. */
async function answerInTurn(office: Office, request: DaemonRequest): Promise<JsonObject> {
  const work = (): ReturnType<typeof answer> => answer(office, request);
  return toJson(await (request.ask === 'look' ? work() : office.inTurn(work))) as JsonObject;
}

function queue(): Office['inTurn'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
}

/** Told to end: everything is withdrawn first. */
async function endAll(office: Office): Promise<void> {
  for (const effect of office.tenants.keys()) {
    await office
      .inTurn(() => leave(office, effect))
      .catch((error: unknown) => {
        say(`withdrawing: ${String(error)}`);
      });
  }
  if (office.volume === undefined) office.close();
}

/**
 * Run as the daemon of a volume until the last injection on it is undone.
 *
 * @returns at once when there is one already
 */
export async function runDaemon(site: Site, key: string): Promise<undefined> {
  setProcessName('faultline-vol');
  liftFileSizeLimit();
  const self = readStat('self');
  if (self === undefined) throw new Error('this process cannot be seen in /proc');
  const place = daemonPlace(site.stateDir, key);
  makeDaemonFolder(place);
  const lock = openSync(place.lock, 'a', 0o600);
  if (!lockFile(lock)) {
    closeSync(lock);
    return undefined;
  }
  const standby = startStandby({ program: site.program, place });
  let listener: Listener | undefined;
  await new Promise<void>((resolve, reject) => {
    const office: Office = {
      site,
      key,
      self: identityOf(self),
      standby,
      tenants: new Map(),
      left: new Set(),
      inTurn: queue(),
      board: undefined,
      volume: undefined,
      isOver: false,
      retry: undefined,
      close: resolve,
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void endAll(office));
    setTimeout(() => {
      if (office.tenants.size === 0 && office.volume === undefined) resolve();
    }, idleMs).unref();
    const asked = (request: JsonObject): Promise<JsonObject> =>
      answerInTurn(office, request as unknown as DaemonRequest);
    listenAt(place.socket, asked).then((listening) => {
      listener = listening;
    }, reject);
  });
  standby.dismiss();
  await listener?.close();
  closeSync(lock);
  return undefined;
}
