import { resolve } from 'node:path';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type { ServerOptions } from './options.ts';

export interface UnitOptions
  extends Partial<Pick<ServerOptions, 'certFile' | 'keyFile' | 'caFile' | 'tokenFile' | 'readTokenFile'>> {
  /**
   * The program and its arguments, absolute where they are paths: `node`, `faultline.js`, `server`, and the options of
   * the service that are no files.
   */
  readonly command: readonly string[];
  /** `/var/lib/faultline` unless given. */
  readonly stateDir: string | undefined;
  /** Whether the service waits for the network: it listens on another address than loopback. */
  readonly network: boolean;
}

/** An argument as it is written in the unit, with its quotes. */
type Written = string;

const plain = /^[A-Za-z0-9_./:=,@+-]+$/;

/** C escapes, as systemd.syntax(7), "Quoting", has them. */
function escapeCharacter(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** One word of a setting that is a list: systemd.syntax(7). `%` begins a specifier: systemd.unit(5). */
function word(text: string): Written {
  const escaped = text.replaceAll('%', '%%');
  return plain.test(escaped) ? escaped : `"${escaped.replaceAll(/["\\\u0000-\u001f\u007f]/g, escapeCharacter)}"`;
}

/** An argument of a command, where `$` begins a variable: systemd.service(5), "COMMAND LINES". */
const argument = (text: string): Written => word(text).replaceAll('$', '$$$$');

/** A path that is the whole rest of a line, and cannot be quoted. */
function bareRest(path: string): Written {
  if (/[\u0000-\u001f\u007f]|^\s|\s$/.test(path)) {
    throw new FaultlineError('ARGUMENT_INVALID', `a unit cannot name the file ${printable(JSON.stringify(path))}`, {
      hint: 'give a path without control characters and without spaces at its ends',
    });
  }
  return path.replaceAll('%', '%%');
}

interface Secret {
  readonly name: string;
  readonly flag: string;
  readonly file: string | undefined;
}

interface SecretFile extends Secret {
  readonly file: string;
}

const isGiven = (secret: Secret): secret is SecretFile => secret.file !== undefined;

/** Files that only systemd itself needs to be able to read. */
function secretsOf(options: UnitOptions): readonly SecretFile[] {
  return [
    { name: 'token', flag: '--token-file', file: options.tokenFile },
    { name: 'read-token', flag: '--read-token-file', file: options.readTokenFile },
    { name: 'key', flag: '--key', file: options.keyFile },
  ].filter(isGiven);
}

function execStart(options: UnitOptions): string {
  const [program = '', ...rest] = options.command;
  const files = [
    { flag: '--cert', file: options.certFile },
    { flag: '--CA', file: options.caFile },
    { flag: '--state-dir', file: options.stateDir },
  ].flatMap(({ flag, file }) => (file === undefined ? [] : [flag, argument(resolve(file))]));
  const secrets = secretsOf(options).flatMap(({ name, flag }) => [flag, `\${CREDENTIALS_DIRECTORY}/${name}`]);
  // The program itself is no place for variables.
  return [word(program), ...rest.map(argument), ...files, ...secrets].join(' ');
}

/** A folder of its own below /var/lib is made by systemd; any other must be there. */
function stateSettings(stateDir: string | undefined): readonly string[] {
  const path = resolve(stateDir ?? '/var/lib/faultline');
  const own = /^\/var\/lib\/([^/]+)$/.exec(path)?.[1];
  return own === undefined
    ? ['# It must be there before the service starts.', `ReadWritePaths=${word(path)}`]
    : [`StateDirectory=${word(own)}`, 'StateDirectoryMode=0700'];
}

function secretSettings(options: UnitOptions): readonly string[] {
  const secrets = secretsOf(options);
  if (secrets.length === 0) {
    return [
      '# Without a token only root is answered. For others: LoadCredential=token:/etc/faultline/token here, and at the',
      '# end of ExecStart: --token-file ${CREDENTIALS_DIRECTORY}/token',
    ];
  }
  return [
    '# systemd hands these over by name. The files can stay readable by root alone.',
    ...secrets.map(({ name, file }) => `LoadCredential=${name}:${bareRest(resolve(file))}`),
  ];
}

const head = `\
# Faultline, as a service. Save it as /etc/systemd/system/faultline.service, and then:
#   systemctl daemon-reload && systemctl enable --now faultline.service
# Change it with \`systemctl edit faultline.service\` rather than here.`;

const running = `\
Type=exec
Restart=on-failure
RestartSec=2
# Options that can never work: see the log, and do not try again.
RestartPreventExitStatus=128
# Requests that are under way are finished first.
TimeoutStopSec=45

# Keepers are processes of this unit that end faults when their time has come. They must outlive the service, or a stop
# of it would leave what it has stopped. So only the service itself is ended; a keeper ends by itself after its last
# fault. \`faultline halt\` undoes everything at once.
KillMode=process`;

const sandbox = `\
# What the service needs is much: it signals processes of anybody and looks at all of /proc, and later faults mount file
# systems and load BPF programs. What it does not need is taken away.
# Recover commands run inside of this sandbox too. One that starts something should ask systemd to
# (\`systemctl restart x.service\`), so that it gets a sandbox of its own; one that is refused something may need a line
# less.
User=root
UMask=0077
NoNewPrivileges=yes
# /usr, /boot and /etc cannot be written, nor can homes.
ProtectSystem=full
ProtectHome=read-only
ProtectKernelModules=yes
LockPersonality=yes
RestrictRealtime=yes
SystemCallArchitectures=native
# The API, NSS (which asks netlink), and D-Bus for \`systemctl\`.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
# KILL: signals. SYS_PTRACE: namespaces and executables of others in /proc. DAC_*: files of others. CHOWN, FOWNER: keep
# their owners and modes. SETUID, SETGID: recover commands of other users. SYS_ADMIN, BPF, PERFMON, SYS_RESOURCE: mounts
# and BPF programs. SYSLOG: the kernel's log, for victims of the OOM killer. NET_BIND_SERVICE: a port below 1024.
# SETPCAP, SYS_CHROOT and the rest: faults in files enter mount namespaces, and do for others what these may do, and
# nothing more.
CapabilityBoundingSet=CAP_KILL CAP_SYS_PTRACE CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER
CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_SYS_ADMIN CAP_BPF CAP_PERFMON CAP_SYS_RESOURCE CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_SETPCAP CAP_SYS_CHROOT CAP_FSETID CAP_MKNOD CAP_SETFCAP CAP_LINUX_IMMUTABLE CAP_LEASE
CapabilityBoundingSet=CAP_SYSLOG
# Left out, since they would break it:
#   ProtectProc, ProcSubset, PrivatePIDs, PrivateUsers   it must see all processes, as who they are
#   PrivateTmp          systemd removes it at a stop, under the keepers that go on
#   RestrictSUIDSGID    programs under a fault in files may set these bits, and do it through us
#   PrivateNetwork      it knows local callers by their sockets
#   MemoryDenyWriteExecute   Node.js compiles while it runs
#   RestrictNamespaces, ProtectControlGroups, ProtectKernelTunables, PrivateDevices, ProtectClock   faults need them`;

/**
 * A unit file for systemd (247 or newer) that runs the service as root, in as tight a sandbox as faults allow.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID: a path that a unit cannot hold
 */
export function systemdUnit(options: UnitOptions): string {
  const network = options.network
    ? ['Wants=network-online.target', 'After=network-online.target']
    : ['After=network.target'];
  return [
    head,
    '',
    '[Unit]',
    'Description=Faultline, chaos engineering for this host',
    '# It is to come back however often it fails: there may be something to undo.',
    'StartLimitIntervalSec=0',
    ...network,
    '',
    '[Service]',
    `ExecStart=${execStart(options)}`,
    running,
    '',
    ...stateSettings(options.stateDir),
    ...secretSettings(options),
    '',
    sandbox,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}
