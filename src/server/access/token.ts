import { createHash, timingSafeEqual } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import type { ServerOptions } from '../options.ts';
import type { Role } from './caller.ts';

/** The tokens that the service knows, as SHA-256 digests; the tokens themselves are forgotten once they are read. */
export interface Tokens {
  readonly attack: Buffer | undefined;
  readonly read: Buffer | undefined;
}

const leastLength = 16;
const mostBytes = 4096;

/** What can be sent as a bearer token by every client: RFC 6750, section 2.1. */
const tokenForm = /^[A-Za-z0-9\-._~+/]+=*$/;

const howToMake = 'make one with: (umask 077; openssl rand -hex 32 > FILE)';

const environmentNames: Readonly<Record<Role, string>> = {
  attack: 'FAULTLINE_SERVER_TOKEN',
  read: 'FAULTLINE_SERVER_READ_TOKEN',
};

const flags: Readonly<Record<Role, string>> = { attack: '--token-file', read: '--read-token-file' };

export function hasTokens(tokens: Tokens): boolean {
  return tokens.attack !== undefined || tokens.read !== undefined;
}

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** A token that others know is none. systemd's credentials show the mask of an access list where groups stand. */
function refuseShared(file: string, stats: Stats, env: NodeJS.ProcessEnv): void {
  const self = process.geteuid?.() ?? 0;
  if (stats.uid !== self && stats.uid !== 0) {
    throw new FaultlineError('SERVER_UNSAFE', `the token file ${printable(file)} belongs to user ${stats.uid}`, {
      hint: `chown ${self} ${printable(file)}`,
    });
  }
  const others = dirname(file) === env['CREDENTIALS_DIRECTORY'] ? 0o007 : 0o077;
  if ((stats.mode & others) === 0) return;
  throw new FaultlineError('SERVER_UNSAFE', `the token file ${printable(file)} can be read by other users`, {
    hint: `chmod 600 ${printable(file)}, and make a new token: this one may be known`,
  });
}

function readWhole(descriptor: number): string {
  const bytes = Buffer.alloc(mostBytes + 1);
  let length = 0;
  for (;;) {
    const count = readSync(descriptor, bytes, length, bytes.length - length, null);
    if (count === 0) return bytes.toString('latin1', 0, length);
    length += count;
  }
}

/** The mode is that of the very file that is read, not of one that has taken its place since. */
function readTokenFile(file: string, env: NodeJS.ProcessEnv): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FaultlineError('ARGUMENT_INVALID', `the token file cannot be read: ${printable(reason)}`, {
      hint: howToMake,
      cause,
    });
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile() && !stats.isFIFO()) {
      throw new FaultlineError('ARGUMENT_INVALID', `the token file ${printable(file)} is not a file`);
    }
    refuseShared(file, stats, env);
    return readWhole(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** @param where what a person would call the place that it comes from; the token itself is never told */
function checked(text: string, where: string): string {
  const token = text.replace(/\r?\n$/, '');
  const wrong =
    token === ''
      ? 'is empty'
      : token.length < leastLength
        ? `is shorter than ${leastLength} characters`
        : token.length > mostBytes
          ? `is longer than ${mostBytes} characters`
          : tokenForm.test(token)
            ? undefined
            : 'has characters that no token may have, such as spaces, control characters or a second line';
  if (wrong === undefined) return token;
  throw new FaultlineError('SERVER_UNSAFE', `the token in ${printable(where)} ${wrong}`, { hint: howToMake });
}

function readToken(role: Role, file: string | undefined, env: NodeJS.ProcessEnv): Buffer | undefined {
  const name = environmentNames[role];
  const given = env[name];
  // Commands that the service runs, and keepers, must not have it.
  Reflect.deleteProperty(env, name);
  if (file !== undefined && given !== undefined) {
    throw new FaultlineError('ARGUMENT_INVALID', `there are two tokens: ${flags[role]} and ${name}`, {
      hint: 'give one of them',
    });
  }
  if (file !== undefined) return digestOf(checked(readTokenFile(file, env), file));
  return given === undefined ? undefined : digestOf(checked(given, name));
}

/**
 * The tokens from the files of the options or from the environment, out of which they are removed, so that no
 * process that is started here inherits them. (/proc/PID/environ goes on showing them to the same user and to root.)
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, SERVER_UNSAFE: a file that is not there, that others can read, or that
 *   holds no fit token
 */
export function readTokens(
  options: Pick<ServerOptions, 'tokenFile' | 'readTokenFile'>,
  env: NodeJS.ProcessEnv = process.env,
): Tokens {
  const attack = readToken('attack', options.tokenFile, env);
  const read = readToken('read', options.readTokenFile, env);
  if (attack !== undefined && read !== undefined && attack.equals(read)) {
    throw new FaultlineError('SERVER_UNSAFE', 'the token for reading is the token for attacks', {
      hint: 'whoever may only read needs a token of their own',
    });
  }
  return Object.freeze({ attack, read });
}

/** @returns the token of an `authorization` header; undefined for another scheme, RFC 9110, section 11.6.2 */
function bearerToken(header: string): string | undefined {
  return /^bearer +(\S+) *$/i.exec(header)?.[1];
}

function matches(known: Buffer | undefined, given: Buffer): boolean {
  return known !== undefined && timingSafeEqual(known, given);
}

/**
 * What whoever sends this `authorization` header may do.
 *
 * Digests are compared, so that neither the time nor the length tells anything of a token, and always with both.
 *
 * @throws {FaultlineError} UNAUTHENTICATED
 */
export function roleOfToken(tokens: Tokens, header: string | undefined): Role {
  const hint = 'send it in a header, authorization: Bearer TOKEN; commands of faultline take --token-file FILE';
  if (header === undefined) throw new FaultlineError('UNAUTHENTICATED', 'this service needs a token', { hint });
  const token = bearerToken(header);
  if (token === undefined) {
    throw new FaultlineError('UNAUTHENTICATED', 'the authorization header holds no bearer token', { hint });
  }
  const digest = digestOf(token);
  const attack = matches(tokens.attack, digest);
  const read = matches(tokens.read, digest);
  if (attack) return 'attack';
  if (read) return 'read';
  throw new FaultlineError('UNAUTHENTICATED', 'the token is not one that this service knows', {
    hint: 'ask whoever runs the service for one',
  });
}
