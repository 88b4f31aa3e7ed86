/*
 * Exit codes by which a program tells why it could not do its work, where a convention gives them a meaning. Any
 * program may use any of them for something else.
 */

export type Convention = 'program' | 'sh' | 'systemd' | 'container' | 'sysexits';

/** What one convention takes a code for. */
export interface Reading {
  readonly convention: Convention;
  /** `EX_USAGE`, `EXIT_EXEC` */
  readonly name: string | null;
  readonly means: string;
  readonly next: readonly string[];
}

type Entry = readonly [name: string, means: string, next?: string];

/** systemd.exec(5), "Process Exit Codes": what systemd itself exits with before it has started the program. */
const systemd: Readonly<Record<number, Entry>> = {
  200: ['EXIT_CHDIR', 'WorkingDirectory= could not be entered', 'does the folder exist, and may User= enter it?'],
  201: ['EXIT_NICE', 'Nice= could not be set'],
  202: ['EXIT_FDS', 'file descriptors could not be passed on'],
  203: [
    'EXIT_EXEC',
    'ExecStart= could not be executed',
    'is the path right, executable, with an interpreter that exists?',
  ],
  204: ['EXIT_MEMORY', 'memory was lacking'],
  205: ['EXIT_LIMITS', 'a Limit…= could not be set'],
  206: ['EXIT_OOM_ADJUST', 'OOMScoreAdjust= could not be set'],
  207: ['EXIT_SIGNAL_MASK', 'the signal mask could not be set'],
  208: ['EXIT_STDIN', 'standard input could not be set up'],
  209: ['EXIT_STDOUT', 'standard output could not be set up', 'may the file of StandardOutput= be written?'],
  210: ['EXIT_CHROOT', 'RootDirectory= could not be entered'],
  211: ['EXIT_IOPRIO', 'IOSchedulingPriority= could not be set'],
  212: ['EXIT_TIMERSLACK', 'TimerSlackNSec= could not be set'],
  213: ['EXIT_SECUREBITS', 'SecureBits= could not be set'],
  214: ['EXIT_SETSCHEDULER', 'CPUSchedulingPolicy= could not be set'],
  215: ['EXIT_CPUAFFINITY', 'CPUAffinity= could not be set'],
  216: ['EXIT_GROUP', 'the group could not be taken', 'does Group= exist? getent group NAME'],
  217: ['EXIT_USER', 'the user could not be taken', 'does User= exist? getent passwd NAME'],
  218: ['EXIT_CAPABILITIES', 'capabilities could not be dropped or taken'],
  219: ['EXIT_CGROUP', 'the control group could not be set up'],
  220: ['EXIT_SETSID', 'a new session could not be begun'],
  221: ['EXIT_CONFIRM', 'the start was refused at the console'],
  222: ['EXIT_STDERR', 'standard error could not be set up'],
  224: ['EXIT_PAM', 'PAM refused the login', 'journalctl -u SERVICE shows what PAM said'],
  225: ['EXIT_NETWORK', 'PrivateNetwork= could not be set up'],
  226: [
    'EXIT_NAMESPACE',
    'mount namespaces could not be set up',
    'do the paths of ReadWritePaths= and its like exist?',
  ],
  227: ['EXIT_NO_NEW_PRIVILEGES', 'NoNewPrivileges= could not be set'],
  228: ['EXIT_SECCOMP', 'SystemCallFilter= could not be applied'],
  229: ['EXIT_SELINUX_CONTEXT', 'SELinuxContext= could not be set'],
  230: ['EXIT_PERSONALITY', 'Personality= could not be set'],
  231: ['EXIT_APPARMOR_PROFILE', 'AppArmorProfile= could not be set'],
  232: ['EXIT_ADDRESS_FAMILIES', 'RestrictAddressFamilies= could not be applied'],
  233: ['EXIT_RUNTIME_DIRECTORY', 'RuntimeDirectory= could not be made'],
  235: ['EXIT_CHOWN', 'ownership of a socket could not be changed'],
  236: ['EXIT_SMACK_PROCESS_LABEL', 'SmackProcessLabel= could not be set'],
  237: ['EXIT_KEYRING', 'the kernel keyring could not be set up'],
  238: ['EXIT_STATE_DIRECTORY', 'StateDirectory= could not be made'],
  239: ['EXIT_CACHE_DIRECTORY', 'CacheDirectory= could not be made'],
  240: ['EXIT_LOGS_DIRECTORY', 'LogsDirectory= could not be made'],
  241: ['EXIT_CONFIGURATION_DIRECTORY', 'ConfigurationDirectory= could not be made'],
  242: ['EXIT_NUMA_POLICY', 'NUMAPolicy= could not be set'],
  243: ['EXIT_CREDENTIALS', 'credentials could not be set up', 'do the files of LoadCredential= exist?'],
  245: ['EXIT_BPF', 'a BPF restriction could not be applied'],
};

/** docker-run(1) and podman-run(1), "Exit Status". */
const container: Readonly<Record<number, Entry>> = {
  125: [
    '',
    'the container runtime itself failed: a wrong flag, no image, no daemon',
    'docker events, or the lines that it printed',
  ],
  126: [
    '',
    "the container's command was found but cannot be run",
    'is it executable, and for this CPU? is its interpreter there?',
  ],
  127: ['', "the container's command was not found", 'is it in the image, and in PATH?'],
};

/** bash(1), "EXIT STATUS"; dash and busybox do the same. */
const shells: Readonly<Record<number, Entry>> = {
  126: [
    '',
    'a command was found but cannot be executed',
    'ls -l FILE: the x bit, a noexec mount, the interpreter in its first line',
  ],
  127: ['', 'a command was not found', 'is it installed, and is PATH in cron or systemd what you think?'],
};

/** include/sysexits.h of BSD: mail programs and some others keep to it. */
const sysexits: Readonly<Record<number, Entry>> = {
  64: ['EX_USAGE', 'wrong arguments'],
  65: ['EX_DATAERR', 'wrong input data'],
  66: ['EX_NOINPUT', 'an input file is missing or not readable'],
  67: ['EX_NOUSER', 'an unknown user'],
  68: ['EX_NOHOST', 'an unknown host'],
  69: ['EX_UNAVAILABLE', 'a service it needs is not available'],
  70: ['EX_SOFTWARE', 'an error within the program'],
  71: ['EX_OSERR', 'an error of the operating system, such as fork failing'],
  72: ['EX_OSFILE', 'a system file is missing or wrong'],
  73: ['EX_CANTCREAT', 'an output file cannot be made'],
  74: ['EX_IOERR', 'an I/O error'],
  75: ['EX_TEMPFAIL', 'a failure that may pass: try again later'],
  76: ['EX_PROTOCOL', 'the other side broke the protocol'],
  77: ['EX_NOPERM', 'no permission'],
  78: ['EX_CONFIG', 'a wrong configuration'],
};

const ownLog = 'its own last lines say more than the code: journalctl -u SERVICE, or its log';

const program: Readonly<Record<number, Entry>> = {
  0: ['EXIT_SUCCESS', 'it ended by itself and says that all is well'],
  1: ['EXIT_FAILURE', 'it failed, and says no more than that', ownLog],
  2: ['', 'wrong usage, in many programs: bash, grep, ls', ownLog],
  124: [
    '',
    'timeout(1) ended the command when its time was up',
    'raise the limit of timeout, or see what it waited for',
  ],
  255: ['', 'exit(-1); of ssh: the connection failed', ownLog],
};

const tables: readonly (readonly [Convention, Readonly<Record<number, Entry>>])[] = [
  ['program', program],
  ['sh', shells],
  ['container', container],
  ['sysexits', sysexits],
  ['systemd', systemd],
];

/** What conventions take an exit code for, but for 128 + n; the most common first. Empty for codes without any. */
export function readingsOf(code: number): readonly Reading[] {
  return tables.flatMap(([convention, table]) => {
    const entry = table[code];
    if (entry === undefined) return [];
    const [name, means, next] = entry;
    return [Object.freeze({ convention, name: name || null, means, next: next === undefined ? [] : [next] })];
  });
}
