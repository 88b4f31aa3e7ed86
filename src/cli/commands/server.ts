import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { textOf } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import type { ServerOptions } from '../../server/options.ts';
import { ownProgram } from '../engine-session.ts';
import { addExamples } from '../help/examples.ts';
import { interruption } from '../interruption.ts';
import { type Invocation, invocationOf, type ProgramName } from '../invocation.ts';
import { remark, say } from '../output/style.ts';

type Given = Readonly<Record<string, unknown>>;

function wholeNumber(given: Given, name: string, flag: string, [least, most]: readonly [number, number]): number {
  const text = textOf(given[name]);
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new FaultlineError('ARGUMENT_INVALID', `${flag} "${printable(text)}" is not a whole number that can be`, {
    hint: `write a number from ${least} to ${most}, in digits`,
  });
}

function textOption(given: Given, name: string): string | undefined {
  const value = given[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function optionsOf(invocation: Invocation, given: Given): ServerOptions {
  return Object.freeze({
    stateDir: invocation.stateDir,
    logLevel: invocation.logLevel,
    program: ownProgram(),
    host: textOption(given, 'host') ?? '127.0.0.1',
    port: wholeNumber(given, 'port', '--port', [0, 65_535]),
    httpsPort: wholeNumber(given, 'httpsPort', '--https-port', [0, 65_535]),
    certFile: textOption(given, 'cert'),
    keyFile: textOption(given, 'key'),
    caFile: textOption(given, 'CA'),
    tokenFile: textOption(given, 'tokenFile'),
    readTokenFile: textOption(given, 'readTokenFile'),
    allowRecoverCmd: given['allowRecoverCmd'] === true,
    watchDeaths: given['watch'] !== false,
    maxBodyBytes: wholeNumber(given, 'maxBody', '--max-body', [1_024, 1_073_741_824]),
    maxRate: wholeNumber(given, 'maxRate', '--max-rate', [1, 1_000_000]),
    maxConcurrency: wholeNumber(given, 'maxConcurrency', '--max-concurrency', [1, 10_000]),
    maxConnections: wholeNumber(given, 'maxConnections', '--max-connections', [1, 1_000_000]),
  });
}

/** Flags that a unit has places of its own for, or that mean nothing in it. */
const notForUnit: ReadonlySet<string> = new Set(['install', 'cert', 'key', 'CA', 'tokenFile', 'readTokenFile']);

/** The flags that the user gave, as they are to be given again. */
function givenFlags(command: Command): readonly string[] {
  return command.options.flatMap((option) => {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== 'cli' || notForUnit.has(name)) return [];
    return option.isBoolean() ? [option.long ?? ''] : [option.long ?? '', textOf(command.getOptionValue(name))];
  });
}

/** Print a systemd unit that runs this very program with these flags. */
async function sayUnit(command: Command, options: ServerOptions): Promise<void> {
  const { isLoopback, unprotected } = await import('../../server/safety.ts');
  const { systemdUnit } = await import('../../server/systemd-unit.ts');
  const { stateDir, certFile, keyFile, caFile, tokenFile, readTokenFile } = options;
  const files = Object.entries({ certFile, keyFile, caFile, tokenFile, readTokenFile });
  const network = options.host !== 'localhost' && !isLoopback(options.host);
  if (network && [caFile, tokenFile, readTokenFile].every((file) => file === undefined)) {
    throw unprotected(options.host);
  }
  const unit = systemdUnit({
    command: [process.execPath, realpathSync(process.argv[1] ?? ''), 'server', ...givenFlags(command)],
    stateDir: stateDir === undefined ? undefined : resolve(stateDir),
    network,
    ...Object.fromEntries(files.filter(([, file]) => file !== undefined)),
  });
  say(unit.trimEnd());
}

/** `server`: the HTTP service. The one door of the house that opens another, and loads what is behind it only then. */
export function addServer(root: Command, program: ProgramName): void {
  const command = root
    .command('server')
    .summary('run the service')
    .description('Run the HTTP service, which answers chaosd’s API at /api and Faultline’s own at /api/v1')
    .option('-p, --port <PORT>', 'Listen on this port; 0 is any free one', '31767')
    .option('--https-port <PORT>', 'With a certificate: the API is on this port', '31768')
    .option('-a, --host <ADDRESS>', 'Listen on this address', '127.0.0.1')
    .option('--cert <FILE>', 'Certificate of the service (PEM); with --key')
    .option('--key <FILE>', 'Key of the certificate (PEM)')
    .option('--CA <FILE>', 'Clients must have a certificate that is signed by this one (PEM)')
    .option('--token-file <FILE>', 'Callers must know the token in this file')
    .option('--read-token-file <FILE>', 'Callers who know the token in this file may look, and nothing else')
    .option('--allow-recover-cmd', 'Allow recover commands over HTTP: callers may then run anything')
    .option('--no-watch', 'Do not watch deaths; as root it keeps the last 10,000 for faultline why')
    .option('--max-body <BYTES>', 'Refuse larger bodies', '1048576')
    .option('--max-rate <N>', 'Requests a second from one caller', '2000')
    .option('--max-concurrency <N>', 'Attacks and recoveries at a time; others wait their turn', '64')
    .option('--max-connections <N>', 'Open connections; more are refused', '4096')
    .option('--install', 'Print a systemd unit for these flags, and do nothing else');
  addExamples(
    command,
    [
      'It listens on the loopback address, where it answers root and the user it runs as. For any other address it ' +
        'wants a token or client certificates. Injections outlive it: leases are kept by the keeper, and the next ' +
        'service picks up what is live.',
    ],
    [
      { command: 'server', does: 'answer on 127.0.0.1:31767' },
      { command: 'server --host 10.0.0.5 --token-file /etc/faultline/token', does: 'answer others who know the token' },
      { command: 'server --install', does: 'print a systemd unit' },
    ],
  );
  command.action(async () => {
    const invocation = invocationOf(program, command);
    const options = optionsOf(invocation, command.opts());
    if (command.opts<Given>()['install'] === true) {
      await sayUnit(command, options);
      return;
    }
    const { serve } = await import('../../server/serve.ts');
    const finished = await serve(options, {
      stop: interruption().signal,
      onListening: (urls) => {
        for (const url of urls) remark(`listening on ${url}`);
      },
    });
    if (finished) return;
    // Something still hangs, such as a recover command: it must not keep the service from ending.
    remark('Error: the service ended before all that was under way; the next one repairs what is left');
    process.exit(1);
  });
}
