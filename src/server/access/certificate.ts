import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import { FaultlineError } from '../../base/error.ts';
import type { JsonObject } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import type { Identity } from './identity.ts';

/** What OpenSSL says of a certificate (X509_verify_cert_error_string(3)), in words that name what to do. */
const foreign = 'was not issued by an authority that this service trusts';
const words: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'has expired'],
  ['CERT_NOT_YET_VALID', 'is not valid yet'],
  ['CERT_REVOKED', 'was revoked'],
  ['INVALID_PURPOSE', 'is not one for clients'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', foreign],
  ['SELF_SIGNED_CERT_IN_CHAIN', foreign],
  ['UNABLE_TO_GET_ISSUER_CERT', foreign],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', foreign],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', foreign],
  ['CERT_SIGNATURE_FAILURE', foreign],
  ['CERT_UNTRUSTED', foreign],
]);

interface Seen {
  readonly actor: JsonObject;
  readonly name: string;
  readonly reads: boolean;
  readonly from: number;
  readonly to: number;
  /** OpenSSL's code of what is wrong with it. */
  readonly error: string | undefined;
}

/** By connection: certificates are looked at once. */
const seen = new WeakMap<Socket, Seen | undefined>();

/** A part of the subject is a list where it stands there more than once, whatever the type says. */
function parts(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter((part) => typeof part === 'string');
}

function look(socket: TLSSocket): Seen | undefined {
  // Without a certificate this is an empty object.
  const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
  if (certificate.fingerprint256 === undefined) return undefined;
  const name = parts(certificate.subject?.CN).join(', ');
  const error: unknown = socket.authorizationError;
  return {
    actor: { certificate: { subject: name, fingerprint: certificate.fingerprint256 } },
    name: name === '' ? 'without a name' : `of ${JSON.stringify(printable(name))}`,
    reads: parts(certificate.subject?.OU).some((unit) => unit.toLowerCase() === 'read'),
    from: Date.parse(certificate.valid_from ?? ''),
    to: Date.parse(certificate.valid_to ?? ''),
    error: socket.authorized ? undefined : String(error),
  };
}

function isTls(socket: Socket): socket is TLSSocket {
  return 'encrypted' in socket && socket.encrypted === true;
}

function none(): Identity {
  const refusal = new FaultlineError('UNAUTHENTICATED', 'this service needs a client certificate', {
    hint:
      'present one that an authority of the service has signed: curl --cert FILE --key FILE; ' +
      'faultline --client-cert FILE --client-key FILE',
  });
  return { refusal, actor: {} };
}

/** @returns what is wrong with it now: a connection may outlive the certificate that it began with */
function flaw(certificate: Seen, now: number): string | undefined {
  if (now > certificate.to) return words.get('CERT_HAS_EXPIRED');
  if (now < certificate.from) return words.get('CERT_NOT_YET_VALID');
  if (certificate.error === undefined) return undefined;
  return words.get(certificate.error) ?? `is not accepted (${printable(certificate.error)})`;
}

/**
 * Who the certificate of a connection says is asking. An organizational unit `read` in its subject keeps it to reading.
 *
 * That the connection counts as authorized is not enough: TLS 1.3 calls a resumed session so even if it never had a
 * certificate.
 *
 * @param now wall-clock ms since 1970
 */
export function certificateIdentity(socket: Socket, now: number = Date.now()): Identity {
  if (!isTls(socket)) return none();
  if (!seen.has(socket)) seen.set(socket, look(socket));
  const certificate = seen.get(socket);
  if (certificate === undefined) return none();
  const wrong = flaw(certificate, now);
  if (wrong === undefined) return { role: certificate.reads ? 'read' : 'attack', actor: certificate.actor };
  const refusal = new FaultlineError('FORBIDDEN', `the client certificate ${certificate.name} ${wrong}`, {
    hint: 'present one that is valid and that an authority of the service has signed',
  });
  return { refusal, actor: certificate.actor };
}
