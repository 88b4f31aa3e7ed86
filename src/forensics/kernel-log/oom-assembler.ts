import type { LogTime } from './envelope.ts';
import { type OomLine, type OomTask, type OomVictim, parseTask } from './oom-lines.ts';
import { type OomReport, withDoubts } from './oom-report.ts';

type Draft = {
  -readonly [Key in keyof OomReport]: OomReport[Key];
};

/** Where and when a line was written. */
export interface LineOrigin {
  readonly time: LogTime;
  readonly host: string | null;
}

/** Puts the lines of one host's log together to reports, as they come. */
export interface OomAssembler {
  take(line: OomLine, origin: LineOrigin): void;
  /** Is a report being read whose victim is not told yet? Then lines count that mean nothing by themselves. */
  isOpen(): boolean;
  /** A line went by that was none of the OOM killer's. */
  pass(): void;
  end(): void;
}

/** After so many lines without a sign of it, a report is taken for cut off: what is there counts. */
const patienceLines = 5_000;

interface State {
  draft: Draft | undefined;
  /** Of the table of tasks, once its head was seen. */
  columns: readonly string[] | undefined;
  tasks: OomTask[];
  silence: number;
  /** Who was killed by the report before: the reaper tells of them while the next one is written already. */
  before: readonly number[];
  /** When the last kill was told, in seconds since boot; null where that is not known. */
  killedAt: number | null;
  readonly done: (report: OomReport) => void;
}

const emptyDraft = ({ time, host }: LineOrigin): Draft => ({
  time,
  host,
  scope: null,
  how: 'chosen',
  trigger: null,
  kernelRelease: null,
  limitCgroup: null,
  taskCgroup: null,
  usage: {},
  ramPages: null,
  reservedPages: null,
  swapKib: null,
  tasks: [],
  chosen: null,
  victims: [],
  supposed: null,
  reaped: [],
  panic: null,
  doubts: [],
});

type Of<Type extends OomLine['type']> = Extract<OomLine, { readonly type: Type }>;

function isDecided({ victims, chosen }: Draft): boolean {
  return victims.length > 0 || chosen !== null;
}

function involves({ victims, supposed, chosen }: Draft, pid: number): boolean {
  if (victims.length > 0) return victims.some((victim) => victim.pid === pid);
  // A reaper may tell of a child that was killed in place of the one that was chosen.
  return chosen !== null || supposed?.pid === pid;
}

/** All processes of a cgroup are killed within a moment: what is told later is another kill. */
const groupSeconds = 10;

/** Is this another kill than the one that is being read? */
function isOfNext({ draft, killedAt }: State, { pid }: OomVictim, { time }: LineOrigin): boolean {
  if (draft === undefined || draft.victims.length === 0) return false;
  const isLate = killedAt !== null && (time.uptimeSeconds ?? killedAt) - killedAt > groupSeconds;
  // Of a group the one that was chosen is killed twice: alone, and again with the others.
  return isLate || (draft.how !== 'group' && draft.victims.every((victim) => victim.pid !== pid));
}

/** Is there something in it that is worth telling? */
function tells({ trigger, victims, supposed, chosen, how }: Draft, tasks: readonly OomTask[]): boolean {
  const somebody = victims.length > 0 || supposed !== null || chosen !== null;
  return somebody || trigger !== null || tasks.length > 0 || how === 'panic' || how === 'nobody';
}

function finish(state: State): void {
  const { draft, tasks, done } = state;
  if (draft !== undefined && tells(draft, tasks)) done(Object.freeze(withDoubts({ ...draft, tasks })));
  if (draft !== undefined && draft.victims.length > 0) state.before = draft.victims.map(({ pid }) => pid);
  state.draft = undefined;
  state.columns = undefined;
  state.tasks = [];
  state.killedAt = null;
}

function open(state: State, origin: LineOrigin): Draft {
  state.draft ??= emptyDraft(origin);
  return state.draft;
}

/** A report that has what the line brings already is over: this is the next one. */
function openUnless(state: State, origin: LineOrigin, isNext: (draft: Draft) => boolean): Draft {
  if (state.draft !== undefined && isNext(state.draft)) finish(state);
  return open(state, origin);
}

function kill(state: State, { victim, message }: Of<'killed'>, origin: LineOrigin): void {
  if (isOfNext(state, victim, origin)) finish(state);
  const draft = open(state, origin);
  state.killedAt = origin.time.uptimeSeconds;
  // Logs that are kept twice, and put together, have each line twice.
  if (!draft.victims.some(({ pid }) => pid === victim.pid)) draft.victims = [...draft.victims, victim];
  if (draft.scope === null && message?.startsWith('Memory cgroup') === true) draft.scope = 'cgroup';
  if (message?.includes('oom_kill_allocating_task') === true) draft.how = 'allocating-task';
}

/** The reaper is a thread of its own, and may be heard late, even in the middle of the next report. */
function reap(state: State, { pid, name, done }: Of<'reaped'>, origin: LineOrigin): void {
  const { draft, before } = state;
  if (before.includes(pid) && draft?.victims.some((victim) => victim.pid === pid) !== true) return;
  const isOurs = draft !== undefined && involves(draft, pid);
  if (draft !== undefined && !isOurs && draft.victims.length === 0) {
    // Whose kill was lost; the report that is being read goes on.
    state.done(Object.freeze({ ...emptyDraft(origin), supposed: { pid, name, uid: null }, reaped: done ? [pid] : [] }));
    return;
  }
  const current = openUnless(state, origin, () => !isOurs);
  if (current.victims.length === 0) current.supposed ??= { pid, name, uid: null };
  if (done) current.reaped = [...current.reaped, pid];
}

function choose(state: State, line: Of<'chosen'>, origin: LineOrigin): void {
  const { pid, name, score, cgroup, allocatingTask } = line;
  const draft = openUnless(state, origin, isDecided);
  draft.chosen = { pid, name, score };
  if (cgroup) draft.scope = 'cgroup';
  if (allocatingTask) draft.how = 'allocating-task';
}

function begin(state: State, { type: _type, ...trigger }: Of<'invoked'>, origin: LineOrigin): void {
  finish(state);
  const draft = open(state, origin);
  draft.trigger = { ...trigger, pid: null };
  if (trigger.order === -1) draft.how = 'sysrq';
}

/** Lines that tell who was killed, or why: each of them may begin a report whose beginning is lost. */
function decide(state: State, line: OomLine, origin: LineOrigin): boolean {
  if (line.type === 'invoked') begin(state, line, origin);
  else if (line.type === 'killed') kill(state, line, origin);
  else if (line.type === 'reaped') reap(state, line, origin);
  else if (line.type === 'chosen') choose(state, line, origin);
  else if (line.type === 'constraint') {
    const { scope, limitCgroup, taskCgroup, pid, name, uid } = line;
    const draft = openUnless(state, origin, isDecided);
    Object.assign(draft, { scope, limitCgroup, taskCgroup, supposed: { pid, name, uid } });
  } else if (line.type === 'limit-of') {
    const { limitCgroup, taskCgroup } = line;
    Object.assign(openUnless(state, origin, isDecided), { scope: 'cgroup', limitCgroup, taskCgroup });
  } else if (line.type === 'group') open(state, origin).how = 'group';
  else if (line.type === 'panic') Object.assign(open(state, origin), { how: 'panic', panic: line.how });
  else if (line.type === 'nobody') {
    const draft = open(state, origin);
    if (draft.victims.length === 0) draft.how = 'nobody';
  } else return false;
  return true;
}

/** Lines that count only within a report. */
function detail(state: State, line: OomLine, draft: Draft): void {
  if (line.type === 'header') state.columns = line.columns;
  else if (line.type === 'row') {
    const task = state.columns === undefined ? undefined : parseTask(line.text, state.columns);
    if (task !== undefined) state.tasks.push(task);
  } else if (line.type === 'usage') {
    draft.usage = { ...draft.usage, [line.what]: { usageKib: line.usageKib, limitKib: line.limitKib } };
  } else if (line.type === 'cpu' && draft.trigger?.name === line.name && draft.trigger.pid === null) {
    draft.trigger = { ...draft.trigger, pid: line.pid };
    draft.kernelRelease = line.release;
  } else if (line.type === 'amount') {
    if (line.what === 'ram-pages') draft.ramPages = line.amount;
    else if (line.what === 'reserved-pages') draft.reservedPages = line.amount;
    else draft.swapKib = line.amount;
  }
}

/** @param done is told of each report as soon as nothing more can belong to it */
export function assembleOomReports(done: (report: OomReport) => void): OomAssembler {
  const state: State = {
    draft: undefined,
    columns: undefined,
    tasks: [],
    silence: 0,
    before: [],
    killedAt: null,
    done,
  };
  return {
    take: (line, origin) => {
      state.silence = 0;
      if (decide(state, line, origin)) return;
      const draft = line.type === 'header' ? open(state, origin) : state.draft;
      if (draft !== undefined) detail(state, line, draft);
    },
    isOpen: () => state.draft !== undefined && state.draft.victims.length === 0 && state.silence < patienceLines,
    pass: () => {
      state.silence += 1;
    },
    end: () => finish(state),
  };
}
