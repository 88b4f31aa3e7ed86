import { printable } from '../../../base/text.ts';

/** What the system and Node.js call a failure, in the words of a report. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ECONNABORTED: 'connection reset',
  EPIPE: 'connection reset',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'host unreachable',
  EHOSTDOWN: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENETDOWN: 'network unreachable',
  ENOTFOUND: 'unknown host',
  EAI_AGAIN: 'unknown host',
  EADDRNOTAVAIL: 'no free local port',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  ENOENT: 'not found',
  ENOTDIR: 'not found',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'a folder',
  HPE_HEADER_OVERFLOW: 'headers too large',
};

/** The most that a reason says. */
const mostCharacters = 120;

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** Why something failed, in a few words that are the same each time that it fails so. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  const known = reasons[code];
  if (known !== undefined) return known;
  if (code.startsWith('HPE_')) return 'not HTTP';
  if (/CERT|TLS|SSL/.test(code)) return `TLS: ${code}`;
  const said = error instanceof Error ? error.message : String(error);
  return printable(code === '' ? said : code).slice(0, mostCharacters);
}
