import { readKmsg } from '../../linux/kmsg.ts';
import type { OomReport } from '../kernel-log/oom-report.ts';
import type { Finding } from '../kernel-log/scan.ts';
import { collectFindings } from '../read-log.ts';
import { ask } from './run-program.ts';

/** What the log of the running kernel tells of deaths. */
export interface KernelFindings {
  readonly findings: readonly Finding[];
  /** Why it could not be asked, if so. */
  readonly lacking: string | null;
}

/** /dev/kmsg, and the journal where that is not there for us. */
export async function readKernelLog(): Promise<KernelFindings> {
  const { scanner, findings } = collectFindings();
  const refusal = readKmsg((record) => scanner.push(record));
  if (refusal === undefined) {
    scanner.end();
    return { findings: findings().findings, lacking: null };
  }
  const journal = await ask('journalctl', ['--dmesg', '--no-pager', '--output=json', '--quiet', '--lines=20000']);
  if (journal.kind === 'said' && journal.text !== '') {
    scanner.push(Buffer.from(journal.text));
    scanner.end();
    return { findings: findings().findings, lacking: null };
  }
  const why = refusal === 'absent' ? 'there is no /dev/kmsg here' : '/dev/kmsg is for root';
  return { findings: [], lacking: `the kernel log (${why})` };
}

/**
 * What the kernel's log tells now of the OOM killer's victims, the newest last.
 *
 * @returns undefined: /dev/kmsg cannot be read here
 */
export function readOomReports(): readonly OomReport[] | undefined {
  const { scanner, findings } = collectFindings();
  if (readKmsg((record) => scanner.push(record)) !== undefined) return undefined;
  scanner.end();
  return findings().findings.flatMap((finding) => (finding.kind === 'oom' ? [finding.report] : []));
}
