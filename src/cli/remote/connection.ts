import { FaultlineError } from '../../base/error.ts';
import { hasUnprintable, printable } from '../../base/text.ts';
import type { ConnectionFlags } from '../connection-options.ts';
import { readFileFor } from './secret-file.ts';
import { tokenFrom } from './token.ts';

/** How to reach a service, and what to show to it. */
export interface Connection {
  /** Without a slash at its end: `https://chaos.example:31768` */
  readonly url: string;
  readonly token: string | undefined;
  /** PEM; what is absent is the system's, or nothing. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

const example = 'for example http://127.0.0.1:31767 or https://chaos.example:31768';

function parsed(text: string): URL {
  try {
    if (!hasUnprintable(text)) return new URL(text);
  } catch {
    // Told below.
  }
  throw new FaultlineError('ARGUMENT_INVALID', `the service's address "${printable(text)}" is not a URL`, {
    hint: example,
  });
}

function checkedUrl(text: string): URL {
  const url = parsed(text);
  if (url.username !== '' || url.password !== '') {
    // Not repeated here: it would end up in logs.
    throw new FaultlineError('ARGUMENT_INVALID', "the service's address must not hold a name or a password", {
      hint: 'every user of this host can read arguments; use --token-file',
    });
  }
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
    const shown = printable(text);
    throw new FaultlineError(
      'ARGUMENT_INVALID',
      `the service's address "${shown}" begins neither with http:// nor with https://`,
      {
        hint: example,
      },
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new FaultlineError(
      'ARGUMENT_INVALID',
      `the service's address "${printable(text)}" has a query or a fragment`,
      {
        hint: example,
      },
    );
  }
  return url;
}

/** Does what is sent there stay on this host? `URL` has written the address in its plainest form. */
export function isLoopback({ hostname }: URL): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|\[::ffff:7f[\da-f]{2}:[\da-f]{1,4}\])$/.test(hostname);
}

function refuseOpenToken(url: URL): void {
  if (url.protocol === 'https:' || isLoopback(url)) return;
  throw new FaultlineError('SERVER_UNSAFE', `the token would go to ${url.host} unencrypted, for anybody to read`, {
    hint: 'use https://; or leave the token out (--token-file, FAULTLINE_TOKEN, FAULTLINE_TOKEN_FILE)',
  });
}

function certificate(file: string, flag: string): string {
  const pem = readFileFor({ file, flag, secret: false });
  if (pem.includes('-----BEGIN CERTIFICATE-----') || pem.includes('-----BEGIN TRUSTED CERTIFICATE-----')) return pem;
  throw new FaultlineError('ARGUMENT_INVALID', `${flag} ${printable(file)} holds no certificate`, {
    hint: 'it must be PEM: -----BEGIN CERTIFICATE-----',
  });
}

function privateKey(file: string): string {
  const pem = readFileFor({ file, flag: '--client-key', secret: false });
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) return pem;
  throw new FaultlineError('ARGUMENT_INVALID', `--client-key ${printable(file)} holds no private key`, {
    hint: 'it must be PEM: -----BEGIN PRIVATE KEY-----',
  });
}

function tlsFrom({ serverCa, clientCert, clientKey }: ConnectionFlags, url: URL): Connection['tls'] {
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    throw new FaultlineError('ARGUMENT_INVALID', '--client-cert and --client-key go together', {
      hint: 'give both, or neither',
    });
  }
  const given = serverCa !== undefined || clientCert !== undefined;
  if (given && url.protocol === 'http:') {
    throw new FaultlineError('ARGUMENT_INVALID', 'certificates mean nothing to an address that begins with http://', {
      hint: 'write https://, or leave --server-ca, --client-cert and --client-key out',
    });
  }
  return {
    ...(serverCa === undefined ? {} : { ca: certificate(serverCa, '--server-ca') }),
    ...(clientCert === undefined ? {} : { cert: certificate(clientCert, '--client-cert') }),
    ...(clientKey === undefined ? {} : { key: privateKey(clientKey) }),
  };
}

/**
 * Check the flags and the environment, and read the files that they name.
 *
 * @param server the address that the flag or the environment names
 * @throws {FaultlineError} ARGUMENT_INVALID, SERVER_UNSAFE
 */
export function connectionTo(server: string, flags: ConnectionFlags, env = process.env): Connection {
  const url = checkedUrl(server);
  const tls = tlsFrom(flags, url);
  const token = tokenFrom(flags.tokenFile, env);
  if (token !== undefined) refuseOpenToken(url);
  return Object.freeze({ url: url.href.replace(/\/+$/, ''), token, tls });
}
