import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readTls } from '../../../src/server/tls.ts';
import { type Authority, hasOpenssl, makeAuthority } from '../../support/certificates.ts';
import { tempFolder } from '../../support/cli.ts';

const service = { subject: '/CN=service', usage: 'serverAuth' } as const;

function expectRefused(
  files: { readonly certFile: string; readonly keyFile: string; readonly caFile?: string },
  words: RegExp,
) {
  expect(() => readTls({ caFile: undefined, ...files })).toThrow(
    expect.objectContaining({ code: 'ARGUMENT_INVALID', message: expect.stringMatching(words) }),
  );
}

function authority(): Authority {
  return makeAuthority(path.join(tempFolder(), 'authority'), 'authority');
}

test.skipIf(!hasOpenssl)('files that fit', () => {
  const ours = authority();
  const { cert, key } = ours.issue('service', service);
  chmodSync(key, 0o600);
  const plain = readTls({ certFile: cert, keyFile: key, caFile: undefined });
  expect(plain).toMatchObject({ clientCertificates: false, warnings: [], options: { minVersion: 'TLSv1.3' } });
  expect(plain?.options.requestCert).toBeUndefined();
  const mutual = readTls({ certFile: cert, keyFile: key, caFile: ours.cert });
  expect(mutual).toMatchObject({ clientCertificates: true, options: { requestCert: true, rejectUnauthorized: false } });
  chmodSync(key, 0o644);
  expect(readTls({ certFile: cert, keyFile: key, caFile: undefined })?.warnings).toEqual([
    expect.stringContaining('every user of this host can use the key'),
  ]);
});

test.skipIf(!hasOpenssl)('files that do not fit each other, are out of date, or are something else', () => {
  const ours = authority();
  const { cert, key } = ours.issue('service', service);
  const other = ours.issue('other', service);
  const expired = ours.issue('expired', { ...service, days: [-3, -1] });
  const coming = ours.issue('coming', { ...service, days: [1, 3] });
  expectRefused({ certFile: cert, keyFile: other.key }, /does not fit the certificate/);
  expectRefused(
    { certFile: expired.cert, keyFile: expired.key },
    /certificate of the service has expired on \d{4}-\d\d-\d\d/,
  );
  expectRefused({ certFile: coming.cert, keyFile: coming.key }, /is not valid before/);
  expectRefused({ certFile: key, keyFile: key }, /holds no certificate/);
  expectRefused({ certFile: cert, keyFile: cert }, /the key .* cannot be used/);
  expectRefused({ certFile: cert, keyFile: key, caFile: key }, /the CA file .* holds no certificate/);
  expectRefused({ certFile: cert, keyFile: key, caFile: other.cert }, /none of an authority: CN=service/);
  expectRefused({ certFile: cert, keyFile: key, caFile: '/nowhere' }, /the CA file cannot be read/);
});

test.skipIf(!hasOpenssl)('a damaged certificate, and a key with a passphrase', () => {
  const ours = authority();
  const { cert, key } = ours.issue('service', service);
  const folder = tempFolder();
  const damaged = path.join(folder, 'damaged.crt');
  writeFileSync(damaged, readFileSync(cert, 'latin1').replace(/\n[A-Za-z0-9+/]{60}/, '\nAAAA'));
  expectRefused({ certFile: damaged, keyFile: key }, /the certificate .* is damaged/);
  const locked = path.join(folder, 'locked.key');
  execFileSync('openssl', ['pkey', '-in', key, '-aes256', '-passout', 'pass:secret', '-out', locked], {
    stdio: 'pipe',
  });
  expectRefused({ certFile: cert, keyFile: locked }, /the key .* cannot be used/);
  expect(() => readTls({ certFile: cert, keyFile: locked, caFile: undefined })).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('passphrase') }),
  );
});
