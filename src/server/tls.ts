import { constants, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { ServerOptions as HttpsOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type { ServerOptions } from './options.ts';

/** How the service speaks TLS. */
export interface Tls {
  /** Options of node:https. */
  readonly options: HttpsOptions;
  /** Whether clients are asked for a certificate. */
  readonly clientCertificates: boolean;
  /** What should be known of it, a sentence each. */
  readonly warnings: readonly string[];
}

type Files = Pick<ServerOptions, 'certFile' | 'keyFile' | 'caFile'>;

function unusable(sentence: string, hint: string, cause?: unknown): FaultlineError {
  return new FaultlineError('ARGUMENT_INVALID', sentence, { hint, cause });
}

const messageOf = (cause: unknown): string => printable(cause instanceof Error ? cause.message : String(cause));

function readPem(file: string, what: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (cause) {
    throw unusable(
      `the ${what} cannot be read: ${messageOf(cause)}`,
      'give a file in PEM that the service can read',
      cause,
    );
  }
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function refuseOutOfDate({ validFrom, validTo }: X509Certificate, what: string, now: number): void {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  if (now > to) throw unusable(`the ${what} has expired on ${day(to)}`, 'have a new one issued');
  if (now < from) {
    throw unusable(`the ${what} is not valid before ${day(from)}`, 'look whether the clock of this host is right');
  }
}

/** Each certificate of a file, parsed. */
function certificatesIn(pem: string, file: string, what: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw unusable(`the ${what} ${printable(file)} is damaged: ${messageOf(cause)}`, 'it must be in PEM', cause);
  }
  throw unusable(
    `the ${what} ${printable(file)} holds no certificate`,
    'it must be in PEM: -----BEGIN CERTIFICATE-----',
  );
}

function readKey(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    const hint = pem.includes('ENCRYPTED')
      ? 'it has a passphrase; take it off with: openssl pkey -in FILE -out NEW, and keep NEW to yourself'
      : 'it must be a private key in PEM';
    throw unusable(`the key ${printable(file)} cannot be used: ${messageOf(cause)}`, hint, cause);
  }
}

function warningsAbout(keyFile: string): readonly string[] {
  const shared = (statSync(keyFile).mode & 0o007) !== 0;
  return shared ? [`every user of this host can use the key ${printable(keyFile)}: chmod 600 it`] : [];
}

function readIdentity(certFile: string, keyFile: string, now: number): { readonly cert: string; readonly key: string } {
  const cert = readPem(certFile, 'certificate');
  const [certificate] = certificatesIn(cert, certFile, 'certificate');
  const key = readPem(keyFile, 'key');
  const privateKey = readKey(key, keyFile);
  if (certificate?.checkPrivateKey(privateKey) !== true) {
    throw unusable(
      `the key ${printable(keyFile)} does not fit the certificate ${printable(certFile)}`,
      'give its own key',
    );
  }
  refuseOutOfDate(certificate, 'certificate of the service', now);
  return { cert, key };
}

function readAuthorities(file: string, now: number): string {
  const ca = readPem(file, 'CA file');
  for (const authority of certificatesIn(ca, file, 'CA file')) {
    if (!authority.ca) {
      const name = printable(authority.subject.replaceAll('\n', ', '));
      throw unusable(`the CA file has a certificate that is none of an authority: ${name}`, 'give the authority’s own');
    }
    refuseOutOfDate(authority, 'certificate of the authority', now);
  }
  return ca;
}

/** Files that belong together, or none. */
function namedFiles({
  certFile,
  keyFile,
  caFile,
}: Files): { readonly certFile: string; readonly keyFile: string } | undefined {
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  if (certFile !== undefined) throw unusable('there is a certificate without its key', 'add --key FILE');
  if (keyFile !== undefined) throw unusable('there is a key without its certificate', 'add --cert FILE');
  if (caFile !== undefined) {
    throw unusable(
      'client certificates need TLS, and there is no certificate of the service',
      'add --cert FILE --key FILE',
    );
  }
  return undefined;
}

/**
 * Checks the files of the options before anything listens.
 *
 * - TLS 1.3 only.
 * - A client without a good certificate is let in as far as HTTP, so that it can be told in words why it is refused.
 * - No session is resumed: the certificate would not be looked at again, and one that never was there would pass.
 *
 * @param now wall-clock ms since 1970
 * @returns undefined without a certificate: plain HTTP
 * @throws {FaultlineError} ARGUMENT_INVALID
 */
export function readTls(options: Files, now: number = Date.now()): Tls | undefined {
  const files = namedFiles(options);
  if (files === undefined) return undefined;
  const { caFile } = options;
  const https: HttpsOptions = {
    ...readIdentity(files.certFile, files.keyFile, now),
    minVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
    ...(caFile === undefined ? {} : { ca: readAuthorities(caFile, now), requestCert: true, rejectUnauthorized: false }),
  };
  try {
    createSecureContext(https);
  } catch (cause) {
    throw unusable(`TLS cannot be set up: ${messageOf(cause)}`, 'check --cert, --key and --CA', cause);
  }
  return Object.freeze({
    options: https,
    clientCertificates: caFile !== undefined,
    warnings: warningsAbout(files.keyFile),
  });
}

/** OpenSSL's codes of a handshake that failed, in words. */
const handshakeErrors: ReadonlyMap<string, string> = new Map([
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'the client speaks TLS 1.2 or older, and this service only TLS 1.3'],
  ['ERR_SSL_HTTP_REQUEST', 'the client speaks plain HTTP where this service speaks HTTPS'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'the client does not speak TLS'],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'the client did not finish the TLS handshake in time'],
]);

/**
 * A TLS handshake that has failed, as the refusal that it is; undefined for another error, such as a connection that
 * was closed again.
 */
export function handshakeRefusal(error: NodeJS.ErrnoException): FaultlineError | undefined {
  const code = error.code ?? '';
  if (!code.startsWith('ERR_SSL_') && !code.startsWith('ERR_TLS_')) return undefined;
  const sentence =
    handshakeErrors.get(code) ??
    (code.includes('_ALERT_')
      ? `the client has broken off the TLS handshake (${printable(code)}): it may not trust this service's certificate`
      : `the TLS handshake has failed (${printable(code)})`);
  return new FaultlineError('FORBIDDEN', sentence, { cause: error });
}
