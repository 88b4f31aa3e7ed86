import { parseApplicationLine, type ToldEnd } from './application-line.ts';
import { type Crash, parseCrashLine } from './crash-lines.ts';
import { isOfKernel, type LogLine, type LogTime, parseLogLine } from './envelope.ts';
import { type OomLine, parseOomLine } from './oom-lines.ts';
import { assembleOomReports, type OomAssembler } from './oom-assembler.ts';
import type { OomReport } from './oom-report.ts';
import { wordSearch } from './word-search.ts';

/*
 * Finds what tells of deaths in a log of any size. Nearly all lines of a log tell of none, so lines are not even told
 * apart: words are looked for in the bytes, and only the lines that have one are decoded. Within a report of the OOM
 * killer, up to the line that names the victim, every line is read.
 */

/** Where in a log something was found. */
export interface LogPlace {
  readonly time: LogTime;
  readonly host: string | null;
  /** The message without what stands before it. Strangers may have written it. */
  readonly line: string;
}

export type Finding =
  | { readonly kind: 'oom'; readonly report: OomReport }
  | { readonly kind: 'crash'; readonly place: LogPlace; readonly crash: Crash }
  | { readonly kind: 'end'; readonly place: LogPlace; readonly end: ToldEnd };

/**
 * Words one of which is in every line that is worth reading, outside of a report. Six letters at least: the search goes
 * by the shortest. What stands in many lines of many logs (`exit`, `signal`) stands here only with what comes with it.
 */
const words: readonly string[] = [
  'oom-kill|oom_reaper|oom_score_adj name|memory.oom.group|ut of memory|illed process|deadlocked on memory',
  'killed as a result|segfault at|traps: |unhandled |blocked for more|blocked in I/O|memory corruption',
  'type=1701|type=1326|it code|it status|it_code|it_status|itCode|xitcode|with code|with status|ting, code',
  'ted, code|code=killed|code=dumped|code=exited|eturn code|eturncode|OOMKilled|OOM killer|SIGTERM|SIGKILL|SIGSEGV',
  'SIGABRT|SIGFPE|SIGBUS|SIGILL|SIGQUIT|SIGHUP|SIGSYS|SIGXCPU|SIGPIPE|SIGINT|signal:|signal 1|signal 2|signal 3',
  'signal 4|signal 5|signal 6|signal 7|signal 8|signal 9|core dumped|Killed|Terminated|Segmentation fault',
  'Floating point exc|Illegal instruction|Bus error|Aborted|Bad system call|time limit exceeded|size limit exceeded',
  'it Code|<Signals.|zsh: killed|zsh: terminated|zsh: abort|zsh: floating|zsh: segm|] Error|prematurely: sig',
].flatMap((row) => row.split('|'));

const search = wordSearch(words);

/** A line that is longer is no line of a log that we know, in bytes. */
const longestLine = 16 * 1024;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

function lineEnd(bytes: Buffer, at: number): number {
  const newline = bytes.indexOf(NEWLINE, at);
  return newline === -1 ? bytes.length : newline;
}

/** What follows the line that the piece begins within; undefined where that line does not end in it. */
function afterLine(piece: Uint8Array): Uint8Array | undefined {
  const newline = piece.indexOf(NEWLINE);
  return newline === -1 ? undefined : piece.subarray(newline + 1);
}

export interface LogScanner {
  push(piece: Uint8Array): void;
  end(): void;
}

/** Keeps the reports of the OOM killer of each host apart, where logs of many are in one. */
function reportsByHost(found: (finding: Finding) => void) {
  const assemblers = new Map<string, OomAssembler>();
  const open = new Set<OomAssembler>();

  function assemblerOf(host: string | null): OomAssembler {
    const known = assemblers.get(host ?? '');
    if (known !== undefined) return known;
    const made = assembleOomReports((report) => found({ kind: 'oom', report }));
    assemblers.set(host ?? '', made);
    return made;
  }

  return {
    take(line: OomLine, { time, host }: LogLine): void {
      const assembler = assemblerOf(host);
      assembler.take(line, { time, host });
      if (assembler.isOpen()) open.add(assembler);
      else open.delete(assembler);
    },
    /** A line went by that is no part of a report: some wait too long for theirs. */
    pass(): void {
      for (const one of open) {
        one.pass();
        if (!one.isOpen()) open.delete(one);
      }
    },
    isOpen: (): boolean => open.size > 0,
    end(): void {
      for (const one of assemblers.values()) one.end();
    },
  };
}

/** What reads single lines. */
function lineReader(found: (finding: Finding) => void) {
  const reports = reportsByHost(found);

  /** @returns was it a line of the kernel that tells something? */
  function kernelLine(line: LogLine): boolean {
    const { message, time, host } = line;
    const oom = parseOomLine(message);
    if (oom !== undefined) {
      reports.take(oom, line);
      return true;
    }
    const crash = parseCrashLine(message);
    if (crash === undefined) return false;
    found({ kind: 'crash', place: { time, host, line: message }, crash });
    return true;
  }

  return {
    read(text: string): void {
      const line = parseLogLine(text);
      if (isOfKernel(line) && kernelLine(line)) return;
      reports.pass();
      const end = line.tag === 'kernel' ? undefined : parseApplicationLine(line.message);
      if (end === undefined) return;
      found({ kind: 'end', place: { time: line.time, host: line.host, line: line.message }, end });
    },
    /** A line without any of the words: it may be one of a report, and nothing else. */
    readDetail(text: string): void {
      const line = parseLogLine(text);
      const oom = isOfKernel(line) ? parseOomLine(line.message) : undefined;
      if (oom === undefined) reports.pass();
      else reports.take(oom, line);
    },
    isOpen: (): boolean => reports.isOpen(),
    end: (): void => reports.end(),
  };
}

/**
 * Read a log piece by piece, however it is cut.
 *
 * @param found is told of each finding as soon as it is whole, in the order of the log
 */
export function scanLog(found: (finding: Finding) => void): LogScanner {
  const reader = lineReader(found);
  let rest: Uint8Array = new Uint8Array();
  /** Has the line that is being read become longer than any? Its end is still to come, and is no line of its own. */
  let isTooLong = false;

  function textOf(bytes: Buffer, start: number, end: number): string {
    const last = end > start && bytes[end - 1] === RETURN ? end - 1 : end;
    return last - start > longestLine ? '' : bytes.toString('utf8', start, last);
  }

  function scan(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const hit = search.next(bytes, at, bytes.length);
      const word = hit === -1 ? bytes.length : hit;
      // Lines without a word: they count within a report, and are passed over without a look otherwise.
      while (reader.isOpen()) {
        const end = lineEnd(bytes, at);
        if (end >= word) break;
        reader.readDetail(textOf(bytes, at, end));
        at = end + 1;
      }
      if (hit === -1) return;
      const start = Math.max(at, bytes.lastIndexOf(NEWLINE, hit) + 1);
      const end = lineEnd(bytes, hit);
      reader.read(textOf(bytes, start, end));
      at = end + 1;
    }
  }

  return {
    push: (piece) => {
      const fresh = isTooLong ? afterLine(piece) : piece;
      if (fresh === undefined) return;
      isTooLong = false;
      const bytes =
        rest.length === 0 ? Buffer.from(fresh.buffer, fresh.byteOffset, fresh.length) : Buffer.concat([rest, fresh]);
      const start = bytes.lastIndexOf(NEWLINE) + 1;
      isTooLong = bytes.length - start > longestLine;
      rest = isTooLong ? new Uint8Array() : Uint8Array.from(bytes.subarray(start));
      if (start > 0) scan(bytes.subarray(0, start));
    },
    end: () => {
      if (rest.length > 0) scan(Buffer.from(rest));
      rest = new Uint8Array();
      reader.end();
    },
  };
}
