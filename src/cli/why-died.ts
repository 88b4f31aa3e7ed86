import { type Journal, whyContainer, whyProcess } from '../api/why.ts';
import { FaultlineError } from '../base/error.ts';
import { count, printable } from '../base/text.ts';
import type { Whom } from '../experiment/deaths.ts';
import { type Answer, answer } from '../forensics/answer.ts';
import { explainCode } from '../forensics/codes/explain-code.ts';
import { type GivenCode, parseCode } from '../forensics/codes/parse-code.ts';
import { explainLog } from '../forensics/explain-log.ts';
import type { Finding } from '../forensics/kernel-log/scan.ts';
import { readLogFile } from '../forensics/read-log.ts';
import { withEngine } from './engine-session.ts';
import type { Invocation } from './invocation.ts';

export interface WhyQuestion {
  /** A PID or a name; what may be a code as well is one only without a log. */
  readonly what?: string;
  readonly pid?: string;
  readonly name?: string;
  readonly container?: string;
  readonly log?: string;
}

/** PID_MAX_LIMIT of include/linux/threads.h on 64-bit. */
const maxPid = 4_194_304;

function parsePid(text: string): number {
  if (/^\d{1,7}$/.test(text) && Number(text) >= 1 && Number(text) <= maxPid) return Number(text);
  throw new FaultlineError('PID_INVALID', `"${printable(text)}" is no process ID`, {
    hint: `a process ID is a number from 1 to ${maxPid}`,
  });
}

function whomOf({ what, pid, name }: WhyQuestion): Whom | undefined {
  if (pid !== undefined) return { pid: parsePid(pid) };
  if ((name ?? what)?.trim() === '') {
    throw new FaultlineError('ARGUMENT_INVALID', 'the name is empty', {
      hint: 'was a variable of the shell not set? give a code, a PID or a name',
    });
  }
  if (name !== undefined) return { name };
  if (what === undefined) return undefined;
  return /^\d+$/.test(what) ? { pid: parsePid(what) } : { name: what };
}

/** What is on record; a journal that cannot be read must not keep the other witnesses from speaking. */
async function onRecord(invocation: Invocation, who: Whom): Promise<Journal> {
  try {
    return await withEngine(invocation, { via: 'cli', supervise: false }, (engine) =>
      Promise.resolve(engine.deathsOf(who)),
    );
  } catch (error) {
    if (!(error instanceof FaultlineError)) throw error;
    return { lacking: `the journal (${error.message})` };
  }
}

function nothingIn(file: string, bytes: number, who: Whom | undefined, elsewhere: number): Answer {
  const place = file === '-' ? 'the standard input' : file;
  const about = who === undefined ? 'a death' : 'pid' in who ? `pid ${who.pid}` : who.name;
  return answer({
    question: file,
    summary: `${place} tells nothing of ${about} (${count(bytes, 'byte')} read)`,
    causes: [],
    notes: elsewhere > 0 ? [`it tells of ${count(elsewhere, 'other death')}: ask without PID or name to see them`] : [],
    facts: { bytes },
  });
}

/** A code, and a log in which what it was may stand. */
function codeInLog(question: string, given: GivenCode, findings: readonly Finding[]): Answer {
  const coded = explainCode(question, given);
  const told = explainLog(question, findings, { ended: given });
  const named = new Set(told.causes.map(({ id }) => id));
  const elsewhere = findings.length - told.considered;
  return answer({
    ...coded,
    summary: told.causes.length === 0 ? coded.summary : `${coded.summary}; the log: ${told.summary}`,
    // What the log tells of needs not be supposed besides.
    causes: [...told.causes, ...coded.causes.filter(({ id }) => !named.has(id))],
    tables: told.tables ?? [],
    notes: [
      ...coded.notes,
      ...told.notes,
      ...(elsewhere > 0 ? [`the log also tells of ${count(elsewhere, 'death')} that did not end so`] : []),
    ],
    facts: { ...coded.facts, log: told.facts },
  });
}

async function whyLog(question: WhyQuestion, file: string): Promise<Answer> {
  const { what = '' } = question;
  const given = parseCode(what);
  const { findings, dropped, bytes, damaged } = await readLogFile(file);
  const notes = [
    ...(dropped > 0 ? [`only the last ${findings.length} of ${findings.length + dropped} findings are told`] : []),
    ...(damaged ? ['the file is compressed, and damaged or cut off: what follows could not be read'] : []),
  ];
  const who = given === undefined ? whomOf(question) : undefined;
  const told = given === undefined ? explainLog(file, findings, who) : codeInLog(what, given, findings);
  if (told.causes.length === 0 && given === undefined) {
    const nothing = nothingIn(file, bytes, who, findings.length);
    return { ...nothing, notes: [...nothing.notes, ...notes] };
  }
  return { ...told, notes: [...told.notes, ...notes] };
}

/** Why a process, a container, or whoever a log tells of has died. */
export async function whyDied(invocation: Invocation, question: WhyQuestion): Promise<Answer> {
  if (question.log !== undefined) return whyLog(question, question.log);
  if (question.container !== undefined) {
    const told = await whyContainer(question.container);
    if (told !== undefined) return told;
    throw new FaultlineError(
      'PROCESS_NOT_FOUND',
      `neither docker nor podman knows a container "${printable(question.container)}"`,
      {
        hint: 'docker ps --all lists them, ended ones too',
      },
    );
  }
  const who = whomOf(question);
  if (who === undefined) throw new Error('a question is about somebody');
  return whyProcess(question.what ?? question.pid ?? question.name ?? '', who, await onRecord(invocation, who));
}
