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
  /** Microseconds since 1970. */
  readonly time?: number;
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

function causeOf({ time, pid, sig, exe, corefile }: Dump): Cause {
  const facts = signalFacts(sig);
  return {
    id: 'own-fault',
    likelihood: 'certain',
    ...(time === undefined ? {} : { at: Math.round(time / 1000) }),
    title: `pid ${pid} (${exe}) dumped core on ${facts?.name ?? `signal ${sig}`}`,
    evidence: [`systemd-coredump has it${corefile === 'present' ? '' : `, but its file is ${corefile}`}`],
    next: [`coredumpctl info ${pid} shows where it was; coredumpctl debug ${pid} opens it`],
  };
}

/**
 * Core dumps of a PID or of a program's name, by coredumpctl(1), which keeps them over many boots.
 *
 * @param sinceMs wall-clock ms since 1970: a PID means something since the host was booted only
 */
export async function findCoreDumps(match: string, sinceMs = 0): Promise<CoreDumps> {
  const answer = await ask('coredumpctl', ['list', '--no-pager', '--json=short', '--', match]);
  if (answer.kind === 'absent') return { causes: [], lacking: 'core dumps (there is no coredumpctl)' };
  if (answer.kind === 'late') return { causes: [], lacking: 'core dumps (coredumpctl took too long)' };
  if (answer.kind === 'failed') return { causes: [], lacking: null };
  const dumps = parseDumps(answer.text).filter(({ time }) => time === undefined || time / 1000 >= sinceMs);
  return { causes: dumps.slice(-3).map(causeOf), lacking: null };
}
