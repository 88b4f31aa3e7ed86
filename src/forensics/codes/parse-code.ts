import { type ExitStatus, decodeWaitStatus } from '../../linux/exit-status.ts';
import { parseSignal } from '../../linux/signals.ts';

/** A number or name by which somebody was told how a process ended. */
export type GivenCode =
  /** What `echo $?` shows. */
  | { readonly kind: 'exit-code'; readonly code: number }
  /** What wait(2) gives: hexadecimal, or beyond 255. */
  | { readonly kind: 'wait-status'; readonly status: number; readonly ended: ExitStatus }
  /** `SIGTERM`, or -15 as Python and Node.js tell it. */
  | { readonly kind: 'signal'; readonly signal: number }
  /** `out of reach`: no process can end so. */
  | { readonly kind: 'impossible'; readonly number: number };

const maxWaitStatus = 0xffff;

function hexadecimal(text: string): GivenCode | undefined {
  if (!/^0x[0-9a-f]{1,8}$/i.test(text)) return undefined;
  const status = Number.parseInt(text.slice(2), 16);
  if (status > maxWaitStatus) return { kind: 'impossible', number: status };
  return { kind: 'wait-status', status, ended: decodeWaitStatus(status) };
}

function signal(text: string): GivenCode | undefined {
  if (!/^(?:SIG)?[A-Z][A-Z0-9]*(?:[+-]\d+)?$/.test(text)) return undefined;
  try {
    return { kind: 'signal', signal: parseSignal(text).number };
  } catch {
    return undefined;
  }
}

/**
 * How a process ended, as somebody was told: `137`, `0x8b`, `-15`, `SIGTERM`.
 *
 * @returns undefined for what is neither: a PID above 255, a name
 */
export function parseCode(text: string): GivenCode | undefined {
  if (/^-\d{1,3}$/.test(text)) {
    const number = -Number(text);
    return number >= 1 && number <= 64 ? { kind: 'signal', signal: number } : { kind: 'impossible', number: -number };
  }
  if (/^\d{1,3}$/.test(text) && Number(text) <= 255) return { kind: 'exit-code', code: Number(text) };
  return hexadecimal(text) ?? signal(text);
}

/** The signal that a code stands for: 137 is 128 + 9. */
export function signalOf(given: GivenCode): number | null {
  switch (given.kind) {
    case 'exit-code':
      return given.code > 128 && given.code <= 128 + 64 ? given.code - 128 : null;
    case 'signal':
      return given.signal;
    case 'wait-status':
      return given.ended.kind === 'signaled' ? given.ended.signal : null;
    case 'impossible':
      return null;
  }
}

/** A number above 255 may be what os.system() or Perl's $? gave: the code is in its second byte. */
export function asWaitStatus(number: number): ExitStatus | undefined {
  if (number <= 0xff || number > maxWaitStatus) return undefined;
  const ended = decodeWaitStatus(number);
  const isPlain = ended.kind === 'exited' || number <= 0xff;
  return isPlain ? ended : undefined;
}
