import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** A certificate and its key, as files in PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface Wanted {
  /** `/CN=alice/OU=read` */
  readonly subject: string;
  /** Whose it is: a service of 127.0.0.1 and localhost, or a client. */
  readonly usage: 'serverAuth' | 'clientAuth';
  /** When it is valid, in days from now; by default from yesterday until tomorrow. */
  readonly days?: readonly [from: number, to: number];
}

/** Somebody who issues certificates. */
export interface Authority extends Issued {
  issue(name: string, wanted: Wanted): Issued;
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}

/** The time so many days from now as openssl-ca(1) wants it: `20250131235959Z`. */
function time(days: number): string {
  const at = new Date(Date.now() + days * 86_400_000);
  return `${at.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
}

const p256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-batch'];

/** What openssl-ca(1) needs to know; unlike `x509 -req` it lets a certificate begin and end at any time. */
const config = (folder: string): string => `
[ca]
default_ca = authority
[authority]
database = ${folder}/index.txt
new_certs_dir = ${folder}
rand_serial = yes
default_md = sha256
unique_subject = no
policy = anything
copy_extensions = none
[anything]
commonName = optional
organizationalUnitName = optional
[req]
distinguished_name = name
[name]
[authorityCertificate]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[serverAuth]
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, IP:::1, DNS:localhost
[clientAuth]
extendedKeyUsage = clientAuth
`;

/** Make an authority of one's own in a new folder. */
export function makeAuthority(folder: string, name: string): Authority {
  mkdirSync(folder, { recursive: true });
  const settings = join(folder, 'openssl.cnf');
  writeFileSync(settings, config(folder));
  writeFileSync(join(folder, 'index.txt'), '');
  const [cert, key] = [join(folder, 'ca.crt'), join(folder, 'ca.key')];
  const self = ['-x509', '-days', '2', '-subj', `/CN=${name}`, '-extensions', 'authorityCertificate'];
  openssl('req', ...p256, '-config', settings, ...self, '-keyout', key, '-out', cert);
  function issue(file: string, { subject, usage, days = [-1, 1] }: Wanted): Issued {
    const issued = { cert: join(folder, `${file}.crt`), key: join(folder, `${file}.key`) };
    const request = join(folder, `${file}.csr`);
    openssl('req', ...p256, '-config', settings, '-subj', subject, '-keyout', issued.key, '-out', request);
    const valid = ['-startdate', time(days[0]), '-enddate', time(days[1])];
    const by = ['-config', settings, '-batch', '-notext', '-cert', cert, '-keyfile', key];
    openssl('ca', ...by, ...valid, '-extensions', usage, '-in', request, '-out', issued.cert);
    return issued;
  }
  return Object.freeze({ cert, key, issue });
}
