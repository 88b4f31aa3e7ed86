import { readKmsg } from '../../linux/kmsg.ts';
import type { LogTime } from '../kernel-log/envelope.ts';
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

/** printk's clock stands still while the machine sleeps, as CLOCK_MONOTONIC does. */
function clocked(time: LogTime): LogTime {
  const { clock, uptimeSeconds } = time;
  if (clock !== null || uptimeSeconds === null) return time;
  const agoMs = Number(process.hrtime.bigint()) / 1e6 - uptimeSeconds * 1000;
  return { uptimeSeconds, clock: new Date(Date.now() - agoMs).toISOString() };
}

/** A person, and who puts what several witnesses say in order, goes by the time of day. */
function withClock(finding: Finding): Finding {
  if (finding.kind === 'oom') {
    return { kind: 'oom', report: { ...finding.report, time: clocked(finding.report.time) } };
  }
  return { ...finding, place: { ...finding.place, time: clocked(finding.place.time) } };
}

/** /dev/kmsg, and the journal where that is not there for us. */
export async function readKernelLog(): Promise<KernelFindings> {
  const { scanner, findings } = collectFindings();
  const refusal = readKmsg((record) => scanner.push(record));
  if (refusal === undefined) {
    scanner.end();
    return { findings: findings().findings.map(withClock), lacking: null };
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
