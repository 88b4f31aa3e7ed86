import { signalName } from '../../linux/signals.ts';
import { pattern } from './pattern.ts';

/** How a program, a shell, a supervisor or a runtime says that something ended. */
export interface ToldEnd {
  /** As `echo $?` shows it; null when only a signal is told. */
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly coreDumped: boolean | null;
  readonly pid: number | null;
  /** The service or program that it is about, where the line says so. */
  readonly name: string | null;
  /** The runtime or systemd says itself that it was the OOM killer. */
  readonly oom: boolean;
  /** Does it restart? `Restarting` */
  readonly restarts: boolean;
}

/** What a shell prints when a job dies: strsignal(3). */
const shellWords: readonly (readonly [RegExp, number])[] = [
  [/\bSegmentation fault\b/, 11],
  [/\bFloating point exception\b/, 8],
  [/\bIllegal instruction\b/, 4],
  [/\bBus error\b/, 7],
  [/\bAborted\b/, 6],
  [/\bBad system call\b/, 31],
  [/\bCPU time limit exceeded\b/, 24],
  [/\bFile size limit exceeded\b/, 25],
  // Not the kernel's own line, cut short: whom that is about it tells nowhere else.
  [/^(?:\S*:? ?(?:line )?\d*:? +\d+ )?Killed\b(?! process \d)/, 9],
  [/^make: \*\*\* \[[^\]]*\] Killed\b/, 9],
  [/^zsh: killed\b/, 9],
  [/^zsh: terminated\b/, 15],
  [/^zsh: segmentation fault\b/, 11],
  [/^zsh: abort\b/, 6],
  [/^zsh: floating point exception\b/, 8],
  [/^(?:\S*:? ?(?:line )?\d*:? +\d+ )?Terminated\b/, 15],
  [/^\[\d+\][+-]? +(?:\d+ )?Killed\b/, 9],
  [/^\[\d+\][+-]? +(?:\d+ )?Terminated\b/, 15],
];

const systemd = pattern(
  String.raw`^([\w.@:\\-]+\.\w+): (?:Main|Control|Child) process(?: (\d+)(?: \([^)]*\))?)? ?`,
  String.raw`(?:exited|belongs)?.*\bcode=(exited|killed|dumped)[,:]? status=(\d+)`,
);
const systemdMain =
  /^([\w.@:\\-]+\.\w+): (?:Main|Control) process exited, code=(exited|killed|dumped)[,:]? status=(\d+)/;
const systemdOom =
  /^([\w.@:\\-]+\.\w+): (?:A process of this unit has been killed by the OOM killer|Failed with result 'oom-kill')/;
const exitWords = String.raw`exit(?:ed|ing|s)?,?(?: with)?(?: an?)?(?: non-?zero)?(?: exit)?[ _-]?(?:code|status)`;
/** What HTTP answers with is no end: `completed with status 200`. */
const endedWith = String.raw`(?:exit|end|terminat|quit|stopp|die|crash|fail)\w* with (?:code|status)`;
const ofMake = String.raw`^make(?:\[\d+\])?: \*\*\* \[.*\] Error`;
const codeWords = String.raw`(?:${exitWords}|exitcode|return ?code|${endedWith}|${ofMake})(?: of)?`;
const exitCode = new RegExp(String.raw`(?:\b|^)${codeWords}[ "':=(]*(-?\d{1,5}|0x[0-9a-f]{1,4})\b`, 'i');
const endedBy = pattern(
  '(?:killed|terminated|exited|died|stopped|ended)(?: prematurely)?:? ',
  String.raw`(?:(?:by|on|with|from|due to|via) )?(?:a )?(?:signal|<Signals\.)`,
).source;
const signalWords = String.raw`(?:${endedBy}|signal:|term_?sig(?:nal)?[=:]|(?:received|got|caught) signal)`;
const bySignal = pattern(
  String.raw`\b(?:${signalWords} *[:"'[]? *(SIG[A-Z0-9]+|\d{1,2}(?! *(?:dBm|%)))|`,
  String.raw`(?:received|got|caught|killed by|terminated by|was sent|via signal \[) ?(SIG[A-Z0-9]+))\b`,
);
const goSignal = /\bsignal: (killed|terminated|segmentation fault|aborted|hangup|interrupt)\b/;
const goSignals: Readonly<Record<string, number>> = {
  killed: 9,
  terminated: 15,
  'segmentation fault': 11,
  aborted: 6,
  hangup: 1,
  interrupt: 2,
};
const pidOf = /\b(?:pid|process)[ :=]*(\d{1,7})\b/i;
/** `./run.sh: line 3:  4242 Killed` */
const pidOfShell = /^(?:\S*: (?:line \d+: *)?|\[\d+\][+-]? +)(\d{1,7}) [A-Z]/;

const nothing: ToldEnd = {
  exitCode: null,
  signal: null,
  coreDumped: null,
  pid: null,
  name: null,
  oom: false,
  restarts: false,
};

function number(text: string): number {
  return text.startsWith('0x') ? Number.parseInt(text.slice(2), 16) : Number(text);
}

function signalOf(text: string): number | null {
  if (/^\d+$/.test(text)) return signalName(Number(text)) === undefined ? null : Number(text);
  for (let one = 1; one < 32; one++) if (signalName(one) === text.toUpperCase()) return one;
  return null;
}

function fromSystemd(message: string): ToldEnd | undefined {
  const oom = systemdOom.exec(message);
  if (oom !== null) return { ...nothing, name: oom[1] ?? null, signal: 9, oom: true };
  const main = systemdMain.exec(message);
  const [name, pid, how, status] =
    main === null ? (systemd.exec(message)?.slice(1) ?? []) : [main[1], undefined, main[2], main[3]];
  if (how === undefined || name === undefined) return undefined;
  const value = Number(status);
  const common = { ...nothing, name, pid: pid === undefined ? null : Number(pid) };
  if (how === 'exited') return { ...common, exitCode: value };
  return { ...common, signal: value, coreDumped: how === 'dumped' };
}

function fromWords(message: string): Pick<ToldEnd, 'exitCode' | 'signal'> | undefined {
  const code = exitCode.exec(message)?.[1];
  if (code !== undefined) {
    const value = number(code);
    // Python's subprocess and Node.js tell a signal as its negative number.
    if (value < 0) return value >= -64 ? { exitCode: null, signal: -value } : undefined;
    return value > 255 ? undefined : { exitCode: value, signal: null };
  }
  const go = goSignal.exec(message)?.[1];
  if (go !== undefined) return { exitCode: null, signal: goSignals[go] ?? null };
  const [, numbered, called] = bySignal.exec(message) ?? [];
  const named = numbered ?? called;
  const signal = named === undefined ? null : signalOf(named);
  if (signal !== null) return { exitCode: null, signal };
  const word = shellWords.find(([words]) => words.test(message));
  return word === undefined ? undefined : { exitCode: null, signal: word[1] };
}

/** What a line of an application's log says of an end; undefined when it says nothing of one. */
export function parseApplicationLine(message: string): ToldEnd | undefined {
  const unit = fromSystemd(message);
  if (unit !== undefined) return unit;
  const oom = /\bOOMKilled\b/.test(message) && !/OOMKilled["']?[:=] *"?false/i.test(message);
  const told = fromWords(message) ?? (oom ? { exitCode: 137, signal: null } : undefined);
  if (told === undefined) return undefined;
  const pid = (pidOfShell.exec(message) ?? pidOf.exec(message))?.[1];
  return {
    ...nothing,
    ...told,
    coreDumped: /\bcore dumped\b/i.test(message) ? true : null,
    pid: pid === undefined ? null : Number(pid),
    oom,
    restarts: /\brestart/i.test(message),
  };
}
