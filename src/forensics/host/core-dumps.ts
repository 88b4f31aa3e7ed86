import { signalFacts } from '../codes/signal-facts.ts';
import type { Cause } from '../answer.ts';
import { ask } from './run-program.ts';

/** What systemd-coredump knows. */
export interface CoreDumps {
  readonly causes: readonly Cause[];
  /** Why it could not be asked, if so. */
  readonly lacking: string | null;
}

interface Dump {
  readonly pid: number;
  readonly sig: number;
  readonly exe: string;
  readonly corefile: string;
}

function parseDumps(text: string): readonly Dump[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list)
      ? (list as Dump[]).filter(({ pid, sig }) => Number.isInteger(pid) && Number.isInteger(sig))
      : [];
  } catch {
    return [];
  }
}

function causeOf({ pid, sig, exe, corefile }: Dump): Cause {
  const facts = signalFacts(sig);
  return {
    id: 'own-fault',
    likelihood: 'certain',
    title: `pid ${pid} (${exe}) dumped core on ${facts?.name ?? `signal ${sig}`}`,
    evidence: [`systemd-coredump has it${corefile === 'present' ? '' : `, but its file is ${corefile}`}`],
    next: [`coredumpctl info ${pid} shows where it was; coredumpctl debug ${pid} opens it`],
  };
}

/** Core dumps of a PID or of a program's name, by coredumpctl(1). */
export async function findCoreDumps(match: string): Promise<CoreDumps> {
  const answer = await ask('coredumpctl', ['list', '--no-pager', '--json=short', '--', match]);
  if (answer.kind === 'absent') return { causes: [], lacking: 'core dumps (there is no coredumpctl)' };
  if (answer.kind === 'failed') return { causes: [], lacking: null };
  return { causes: parseDumps(answer.text).slice(-3).map(causeOf), lacking: null };
}
