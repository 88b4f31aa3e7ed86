import { type Answer, answer, type Cause } from '../answer.ts';
import { asWaitStatus, type GivenCode } from './parse-code.ts';
import { type Convention, type Reading, readingsOf } from './service-codes.ts';
import { type SignalFacts, signalFacts } from './signal-facts.ts';

const SIGKILL = 9;
const SIGTERM = 15;

const conventions: Readonly<Record<Convention, string>> = {
  program: 'a program',
  sh: 'a shell',
  systemd: 'systemd',
  container: 'docker or podman run',
  sysexits: 'a program that keeps to sysexits.h',
};

const oomKiller: Cause = {
  id: 'oom-killer',
  likelihood: 'likely',
  title: 'the OOM killer of the kernel sent SIGKILL: memory ran out, of the host or of its cgroup',
  evidence: ['it always sends SIGKILL, and always writes "Killed process PID (NAME)" to the kernel log'],
  next: [
    'faultline why PID or faultline why --log FILE reads the kernel log for it',
    'oom_kill in the memory.events of its cgroup; OOMKilled in docker inspect or kubectl describe pod',
    'nothing of that: somebody sent it',
  ],
};

/** What else a signal may stand for, beside its usual senders. */
function besides({ number }: SignalFacts): readonly Cause[] {
  if (number === SIGKILL) return [oomKiller];
  if (number !== SIGTERM) return [];
  const evidence = [`the kernel's sends SIGKILL, which would be 137; earlyoom and its like do begin with SIGTERM`];
  const next = ['is one running? pgrep -a "earlyoom|nohang"; its log names whom it ended'];
  const title = 'an OOM daemon in user space sent it';
  return [{ id: 'userspace-oom', likelihood: 'unlikely', title, evidence, next }];
}

function fault(facts: SignalFacts): Cause {
  const { name, means, senders, next } = facts;
  return {
    id: 'own-fault',
    likelihood: 'likely',
    title: `${name} (${means}) because of what the program itself did`,
    evidence: [`usually from: ${senders.join('; ')}`],
    next,
  };
}

function sent({ name, means, origin, senders, next }: SignalFacts): Cause {
  if (origin === 'itself') {
    return {
      id: 'signal-sent',
      likelihood: 'possible',
      title: `${name} sent by another process, for which nothing is needed but kill -${name.slice(3)}`,
      evidence: [`rare: ${name} is usually no signal that somebody sends`],
      next: ['a kernel log line or a core dump speaks against it'],
    };
  }
  return {
    id: 'signal-sent',
    likelihood: 'likely',
    title: `${name} (${means}) sent by another process`,
    evidence: [`usual senders: ${senders.join('; ')}`],
    next,
  };
}

function causesOfSignal(facts: SignalFacts): readonly Cause[] {
  const { action, origin, name } = facts;
  if (action !== 'terminate' && action !== 'core') {
    const title = `${name} alone ends no process (its default is: ${action})`;
    return [{ id: 'harmless-signal', likelihood: 'unlikely', title, evidence: [], next: [] }];
  }
  const causes = origin === 'others' ? [sent(facts)] : [fault(facts), sent(facts)];
  return [...causes, ...besides(facts)];
}

/** A program that catches a signal may end with 128 + n on purpose, as Java and many scripts do. */
function byItself(code: number, facts: SignalFacts | undefined): Cause {
  const handled = facts !== undefined && facts.origin !== 'itself' && facts.number !== SIGKILL;
  return {
    id: 'exit-by-itself',
    likelihood: handled ? 'possible' : 'unlikely',
    title: `the program itself ended with exit(${code})`,
    evidence: [
      handled
        ? `a program may catch ${facts.name} and end so on purpose, as Java does: the signal came all the same`
        : 'an exit code is whatever a program says; 128 + n is a habit of shells and no law',
    ],
    next: ['what its own log says last'],
  };
}

function summaryOfSignal({ number, name, means, action }: SignalFacts, coreDumped: boolean | null): string {
  const may = action === 'core' ? ', which dumps core where that is allowed' : '';
  const dumps = coreDumped === null ? may : coreDumped ? '; a core was dumped' : '; no core was dumped';
  return `ended by signal ${number}, ${name} (${means})${dumps}`;
}

function readingText({ name, means }: Pick<Reading, 'name' | 'means'>): string {
  return name === null ? means : `${means} (${name})`;
}

function causeOfReading(reading: Reading, likelihood: Cause['likelihood']): Cause {
  const { convention, next } = reading;
  return {
    id: `${convention}-code`,
    likelihood,
    title: `${conventions[convention]}: ${readingText(reading)}`,
    evidence: [],
    next,
  };
}

function explainSmall(question: string, code: number): Answer {
  const readings = readingsOf(code);
  const [first] = readings;
  if (first === undefined) {
    return answer({
      question,
      summary: `exit code ${code}: the program's own; no convention gives it a meaning`,
      causes: [{ ...byItself(code, undefined), likelihood: 'likely', evidence: [] }],
      notes: code > 128 ? [`128 + ${code - 128} would be no signal: there are 64`] : [],
      facts: { exitCode: code, signal: null },
    });
  }
  const single = readings.length === 1;
  const causes = readings.map((reading) => {
    const { convention } = reading;
    const usual = convention === 'program' || (single && convention === 'systemd');
    return causeOfReading(reading, usual ? 'likely' : 'possible');
  });
  return answer({
    question,
    summary: `exit code ${code}: ${single ? readingText(first) : 'it depends on who tells it'}`,
    causes,
    notes: [],
    facts: { exitCode: code, signal: null },
  });
}

/** What an exit code means, as a shell shows it in `$?`: 0 to 255. */
function explainExitCode(question: string, code: number): Answer {
  const facts = code > 128 ? signalFacts(code - 128) : undefined;
  if (facts === undefined) return explainSmall(question, code);
  return answer({
    question,
    summary: `exit code ${code} = 128 + ${facts.number}: ${summaryOfSignal(facts, null)}`,
    causes: [...causesOfSignal(facts), byItself(code, facts)],
    notes: [],
    facts: { exitCode: code, signal: { number: facts.number, name: facts.name, defaultAction: facts.action } },
  });
}

function explainSignal(question: string, number: number, how: string, coreDumped: boolean | null): Answer {
  const facts = signalFacts(number);
  if (facts === undefined) return impossible(question, number);
  return answer({
    question,
    summary: `${how}${summaryOfSignal(facts, coreDumped)}`,
    causes: causesOfSignal(facts),
    notes: coreDumped === true ? ['where the core is: coredumpctl, or /proc/sys/kernel/core_pattern'] : [],
    facts: {
      exitCode: 128 + number,
      signal: { number, name: facts.name, defaultAction: facts.action },
      ...(coreDumped === null ? {} : { coreDumped }),
    },
  });
}

function impossible(question: string, number: number): Answer {
  const low = number & 0xff;
  return answer({
    question,
    summary: `${question} is no exit code, no signal and no wait status of Linux`,
    causes: [],
    notes: [
      'exit codes are 0 to 255, signals 1 to 64, wait statuses 0x0 to 0xffff',
      `the kernel keeps the last 8 bits of what a program hands to exit(3): here they would be ${low}`,
    ],
    facts: { exitCode: null, signal: null, lastByte: low },
  });
}

function stopped(question: string, number: number): Answer {
  const name = signalFacts(number)?.name ?? `signal ${number}`;
  return answer({
    question,
    summary: `wait status ${question}: not ended, but stopped by ${name}`,
    causes: [],
    notes: ['SIGCONT continues it: kill -CONT PID'],
    facts: { exitCode: null, signal: null, stoppedBy: number },
  });
}

/** What it means that a process ended so. */
export function explainCode(question: string, given: GivenCode): Answer {
  if (given.kind === 'exit-code') return explainExitCode(question, given.code);
  if (given.kind === 'signal') return explainSignal(question, given.signal, '', null);
  if (given.kind === 'impossible') return impossible(question, given.number);
  const { ended, status } = given;
  // W_STOPCODE of wait(2): not an end at all.
  if ((status & 0xff) === 0x7f) return stopped(question, status >> 8);
  if (ended.kind === 'exited') {
    const told = explainExitCode(question, ended.code);
    return { ...told, summary: `wait status ${question}: ${told.summary}` };
  }
  return explainSignal(question, ended.signal, `wait status ${question}: `, ended.coreDumped);
}

/** What a number may mean that is no PID of this host: nothing is known of it as such. */
export function explainLargeNumber(question: string): Answer | undefined {
  const ended = asWaitStatus(Number(question));
  if (ended === undefined) return undefined;
  return ended.kind === 'exited'
    ? explainExitCode(question, ended.code)
    : explainSignal(question, ended.signal, '', ended.coreDumped);
}
