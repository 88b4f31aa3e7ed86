import { type Command, Option } from 'commander';

/*
 * The flags by which a command acts through a service. Reading them loads nothing; see `remote/` for what they start.
 */

/** What the flags say, unchecked. */
export interface ConnectionFlags {
  /** Empty: act here, whatever the environment says. */
  readonly server: string | undefined;
  readonly tokenFile: string | undefined;
  readonly serverCa: string | undefined;
  readonly clientCert: string | undefined;
  readonly clientKey: string | undefined;
}

const flags: readonly (readonly [string, string])[] = [
  ['--server <URL>', 'Act through the service at this address (default: FAULTLINE_SERVER; if it is empty, act here)'],
  ['--token-file <FILE>', 'The file with the token for it (default: FAULTLINE_TOKEN, FAULTLINE_TOKEN_FILE)'],
  ['--server-ca <FILE>', "Trust certificates signed by those in this file, in place of the system's"],
  ['--client-cert <FILE>', 'The certificate to show to the service'],
  ['--client-key <FILE>', "That certificate's private key"],
];

const made = new WeakSet<Option>();

/** Let a command act through a service. */
export function addConnectionOptions(command: Command): void {
  for (const [names, description] of flags) {
    const option = new Option(names, description).helpGroup('Service:');
    made.add(option);
    command.addOption(option);
  }
}

/** Is it one of those flags, which chaosd does not have? */
export function isConnectionOption(option: Option): boolean {
  return made.has(option);
}

const textOrNothing = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export function connectionFlags(options: Readonly<Record<string, unknown>>): ConnectionFlags {
  return Object.freeze({
    server: textOrNothing(options['server']),
    tokenFile: textOrNothing(options['tokenFile']),
    serverCa: textOrNothing(options['serverCa']),
    clientCert: textOrNothing(options['clientCert']),
    clientKey: textOrNothing(options['clientKey']),
  });
}

/** The service's address, from the flag or the environment, unchecked; undefined: act here. */
export function serverNamed({ server }: ConnectionFlags, env = process.env): string | undefined {
  const named = server ?? env['FAULTLINE_SERVER'];
  return named === '' ? undefined : named;
}
