import { type Finding, scanLog } from '../kernel-log/scan.ts';

/** Everything that a log is found to tell. @param pieceBytes it is read in pieces of this size */
export function scanned(log: string | Uint8Array, pieceBytes = 1 << 20): readonly Finding[] {
  const bytes = typeof log === 'string' ? Buffer.from(log) : log;
  const findings: Finding[] = [];
  const scanner = scanLog((finding) => findings.push(finding));
  for (let at = 0; at < bytes.length; at += pieceBytes) scanner.push(bytes.subarray(at, at + pieceBytes));
  scanner.end();
  return findings;
}
