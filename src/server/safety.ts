import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { hasTokens, readTokens, type Tokens } from './access/token.ts';
import type { ServerOptions } from './options.ts';
import { readTls, type Tls } from './tls.ts';

/** Everything that decides who may ask, checked before anything listens. */
export interface Safety {
  /** The IP address to listen on: the very one that was checked, whatever a name leads to later. */
  readonly address: string;
  readonly tokens: Tokens;
  /** Undefined: plain HTTP. */
  readonly tls: Tls | undefined;
  /** Names that the service may be called by, in lower case. */
  readonly names: readonly string[];
  /** To be logged loudly, a sentence each. */
  readonly warnings: readonly string[];
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Can only this host reach the address? `0.0.0.0` and `::` are all addresses, so no. */
export function isLoopback(address: string): boolean {
  const family = isIP(address);
  // With a zone it is one of a link. An IPv4 address that is written as an IPv6 one is checked as what it is.
  if (family === 0 || address.includes('%')) return false;
  return loopback.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** The addresses of a name, those of loopback first. */
async function resolve(host: string): Promise<readonly string[]> {
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address).sort((a, b) => Number(isLoopback(b)) - Number(isLoopback(a)));
  } catch (cause) {
    throw new FaultlineError('ADDRESS_UNUSABLE', `the host ${printable(host)} has no address`, {
      hint: 'give an IP address with --host',
      cause,
    });
  }
}

interface Place {
  readonly address: string;
  /** Whether only this host can reach it. */
  readonly local: boolean;
}

/** Where to listen. A name that leads to several addresses is local only if all of them are. */
async function placeOf(host: string): Promise<Place> {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (bare === '') throw new FaultlineError('ARGUMENT_INVALID', 'the host is empty', { hint: '--host 127.0.0.1' });
  if (isIP(bare) !== 0) return { address: bare, local: isLoopback(bare) };
  // RFC 6761, section 6.3, whatever a name service says.
  if (bare.toLowerCase() === 'localhost') return { address: '127.0.0.1', local: true };
  const addresses = await resolve(bare);
  const local = addresses.every(isLoopback);
  const address = local ? addresses[0] : addresses.find((one) => !isLoopback(one));
  return { address: address ?? bare, local };
}

/** The error for an address that others can reach, without anything that tells who asks. */
export function unprotected(host: string, tls?: Tls): FaultlineError {
  const sentence =
    tls === undefined
      ? `${printable(host)} can be reached from other hosts, and anybody could attack this one`
      : `${printable(host)} can be reached from other hosts, and a certificate of its own does not tell it who asks`;
  return new FaultlineError('SERVER_UNSAFE', sentence, {
    hint: 'give it a token (--token-file), or client certificates (--cert, --key and --CA); or --host 127.0.0.1',
  });
}

function warningsOn(place: Place, tokens: Tokens, tls: Tls | undefined): readonly string[] {
  const openWire = !place.local && hasTokens(tokens) && tls === undefined;
  return [
    ...(tls?.warnings ?? []),
    ...(openWire
      ? ['the token goes over the network in the clear: whoever can listen on the way can attack; add --cert and --key']
      : []),
    ...(tokens.attack === undefined && tokens.read !== undefined
      ? ['there is only a token for reading: nobody can attack or recover through this service']
      : []),
  ];
}

/**
 * Refuse options with which others than those who are meant could attack: any address but loopback needs a token, or
 * client certificates. Without either only root and the service's own user are let in, who are known by their
 * connection; see `access/local-user.ts`.
 *
 * @throws {FaultlineError} SERVER_UNSAFE; ARGUMENT_INVALID: files that cannot be used; ADDRESS_UNUSABLE
 */
export async function refuseUnsafe(options: ServerOptions, env: NodeJS.ProcessEnv = process.env): Promise<Safety> {
  // First, so that no token stays in the environment whatever else is wrong.
  const tokens = readTokens(options, env);
  const tls = readTls(options);
  const place = await placeOf(options.host);
  const protectedByCallers = hasTokens(tokens) || tls?.clientCertificates === true;
  if (!place.local && !protectedByCallers) throw unprotected(options.host, tls);
  return Object.freeze({
    address: place.address,
    tokens,
    tls,
    names: isIP(options.host) === 0 ? [options.host.toLowerCase()] : [],
    warnings: warningsOn(place, tokens, tls),
  });
}
