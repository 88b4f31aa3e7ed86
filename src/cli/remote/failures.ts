import { FaultlineError } from '../../base/error.ts';
import { formatDuration } from '../../base/duration.ts';
import { printable } from '../../base/text.ts';

/*
 * Why a service gave no answer, in words. The codes are those of system calls, of Node.js (`HPE_…`, `ERR_…`) and of
 * OpenSSL (X509_V_ERR_… and SSL_R_…, see x509_vfy.h and sslerr.h).
 */

export interface Reason {
  readonly sentence: string;
  readonly hint: string;
}

const notTrusted: Reason = {
  sentence: 'its certificate is signed by nobody who is trusted here',
  hint: 'name who signed it with --server-ca FILE',
};

const wantsCertificate: Reason = {
  sentence: 'it accepts no client without a certificate that it trusts',
  hint: 'show one with --client-cert FILE and --client-key FILE',
};

const notTls: Reason = {
  sentence: 'it does not speak TLS there',
  hint: 'the service has its own port for https; or write http:// if it has no certificate',
};

const noRoute: Reason = {
  sentence: 'there is no way to that host from here',
  hint: 'look at the address and the network',
};

const unknownName: Reason = {
  sentence: 'that host name is not known',
  hint: 'look at the address, or at the resolver',
};

const reasons: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: { sentence: 'the connection was refused', hint: 'is the service running there? see faultline server' },
  ENOTFOUND: unknownName,
  EAI_AGAIN: unknownName,
  EHOSTUNREACH: noRoute,
  ENETUNREACH: noRoute,
  ETIMEDOUT: { sentence: 'it gave no sign of life', hint: 'look at the address, the network and its firewalls' },
  DEPTH_ZERO_SELF_SIGNED_CERT: notTrusted,
  SELF_SIGNED_CERT_IN_CHAIN: notTrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: notTrusted,
  UNABLE_TO_GET_ISSUER_CERT: notTrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: notTrusted,
  CERT_SIGNATURE_FAILURE: notTrusted,
  CERT_HAS_EXPIRED: { sentence: 'its certificate has expired', hint: 'renew it; and look at this host’s clock' },
  CERT_NOT_YET_VALID: { sentence: 'its certificate is not valid yet', hint: 'look at this host’s clock' },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    sentence: 'its certificate is for another name',
    hint: 'write the name that stands in the certificate',
  },
};

/** OpenSSL's own words: as a code (`ERR_SSL_WRONG_VERSION_NUMBER`), or within a message where the code is EPROTO. */
const tlsReasons: readonly (readonly [RegExp, Reason])[] = [
  [/wrong version number|packet length too long|http request/, notTls],
  [/alert protocol version|unsupported protocol/, { sentence: 'it does not speak TLS 1.3', hint: 'Faultline’s does' }],
  [/certificate required|unknown ca|bad certificate|unsupported certificate/, wantsCertificate],
  [/certificate (?:expired|revoked)/, { sentence: 'it refused the certificate of this client', hint: 'renew it' }],
];

function tlsReason(code: string, message: string): Reason | undefined {
  const words = `${code} ${message}`.toLowerCase().replaceAll('_', ' ');
  return tlsReasons.find(([pattern]) => pattern.test(words))?.[1];
}

/** The code of a failed connection; of one that tried several addresses, too. */
export function failureCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** What stands between the connection's failure and a sentence. */
export function reasonFor(error: unknown, url: string): Reason {
  const code = failureCode(error);
  const known = reasons[code];
  if (known !== undefined) return known;
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    const other = url.startsWith('http:') ? 'https://' : 'http://';
    return {
      sentence: 'the connection was closed before an answer came',
      hint: `look at the service's log; or is it ${other} there?`,
    };
  }
  const text = error instanceof Error ? error.message : String(error);
  const tls = url.startsWith('https:') ? tlsReason(code, text) : undefined;
  if (tls !== undefined) return tls;
  const message = printable(text).slice(0, 200);
  const sentence = code.startsWith('HPE_') ? `it does not answer in HTTP (${message})` : message;
  return { sentence, hint: 'look at the address, and at the service’s log' };
}

/** Nothing came within the time that it was given. */
export class Unanswered extends Error {
  readonly reason: Reason;

  constructor(what: 'connection' | 'answer', patienceMs: number) {
    const sentence = `there was no ${what} within ${formatDuration(patienceMs)}`;
    super(sentence);
    this.name = 'Unanswered';
    const hint = what === 'connection' ? 'look at the address, the network and its firewalls' : 'look at the service';
    this.reason = { sentence, hint };
  }
}

export function unreachable(url: string, { sentence, hint }: Reason, cause?: unknown): FaultlineError {
  return new FaultlineError('SERVER_UNREACHABLE', `the service at ${url} cannot be used: ${sentence}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}
