/*
 * What the man page says beside the commands. `PROGRAM` stands for the program's name.
 */

/** A term, and what it means. */
export type Definition = readonly [term: string, meaning: string];

export const description: readonly string[] = [
  'PROGRAM breaks things on a Linux host on purpose, so that you learn how your systems bear it before they have ' +
    'to. It chooses targets, refuses those that must not be hit, writes down what it is about to do, does it, ' +
    'looks whether it took effect, and undoes it: when told to, when its time is over, or after a crash.',
  'An injection goes from planned through injecting to injected, then through recovering to recovered. It is ' +
    'failed if nothing of it took effect, and unrecoverable if it did and cannot be undone: a killed process ' +
    'stays dead. For each target it is told whether what was seen bears out what was meant: confirmed, mismatch ' +
    'or inconclusive.',
  'With --server the same commands act through a service on this host or another, and print the same. The token is ' +
    'never an argument, which every user could read, and it is sent unencrypted to no other host.',
  'The program is installed under two names. faultline is its own; chaosd takes the same commands and prints ' +
    'its help ' +
    "in that program's layout, for scripts that were written for Chaos Mesh's chaosd.",
];

export const exitStatus: readonly Definition[] = [
  ['0', 'Done, and seen to be done.'],
  ['1', 'It failed, or what was seen is not what was meant. Standard error says what, with a code and a hint.'],
  ['0 to 3, of run', 'The verdict: 0 held, 1 deviated, 2 aborted, 3 error. No mistake or failure ends it with 0 to 2.'],
  ['3, of validate and plan', 'An experiment is not valid, or its run could not succeed.'],
  ['0, 2 and 3, of demo', '0: its experiment was run to its end, held or deviated; 2: it was aborted; 3: an error.'],
  ['128', 'The arguments cannot work. Nothing was touched.'],
  ['128+n', 'Signal n ended the command. What it was injecting was undone before.'],
];

export const environment: readonly Definition[] = [
  ['FAULTLINE_STATE_DIR', 'The folder of the journal, unless --state-dir names another.'],
  [
    'FAULTLINE_SERVER',
    'The address of a service to act through, unless --server names another. Empty: act on this host. run, runs, ' +
      'plan and report act on this host alone, and refuse to start while it is set.',
  ],
  ['FAULTLINE_TOKEN', 'The token to show to that service, unless --token-file names a file that holds it.'],
  ['FAULTLINE_TOKEN_FILE', 'The file that holds the token. Nobody but its owner may read it.'],
  ['FAULTLINE_POLICY', 'The file of the policy. If it is named so and cannot be read, nothing is done.'],
  ['NO_COLOR', 'If it is set and not empty, nothing is coloured.'],
  ['XDG_STATE_HOME', 'For users other than root: the folder that holds the folder of the journal (~/.local/state).'],
  ['XDG_CONFIG_HOME', 'For users other than root: the folder that holds faultline/policy.yaml (~/.config).'],
];

export const files: readonly Definition[] = [
  ['/var/lib/faultline/faultline.db', "root's journal: injections, their effects and what undoes them, the audit log."],
  ['~/.local/state/faultline/faultline.db', 'The journal of any other user.'],
  [
    'keeper.log',
    'Beside the journal: what the keeper, which ends injections when their time is over, could tell nobody.',
  ],
  ['keeper.lock', 'Beside the journal: locked by the keeper as long as it lives.'],
  [
    '/etc/faultline/policy.yaml, ~/.config/faultline/policy.yaml',
    'What the operator of the host allows: protect (names that are never hit), maxTargets and maxPercent.',
  ],
];

export const safety: readonly string[] = [
  'Try every attack with --dry-run first: it lists exactly what would be hit, and touches nothing.',
  'Never hit are PID 1, kernel threads, the program itself and the processes above it; sshd and the names in the ' +
    'policy only with --allow-protected. --max-targets and --max-percent refuse an attack that would hit more ' +
    'than you meant. A process is known by its PID, its start time and the boot it lives in, and is signalled ' +
    'through a pidfd: another process that got the same PID is never touched.',
  'Each effect is on the disk, with what undoes it, before it happens. After a crash of the program or of the ' +
    'host, the next attack, recover, search or show repairs what was left behind; PROGRAM recover --all undoes ' +
    'whatever is live, and may be run twice. With --duration an injection ends by itself, also after the command ' +
    'is gone.',
  'In an emergency, PROGRAM halt undoes everything that is live and refuses new attacks until PROGRAM halt --release.',
];

export const seeAlso: readonly string[] = [
  'kill(1)',
  'pidfd_open(2)',
  'pidfd_send_signal(2)',
  'proc(5)',
  'cgroups(7)',
  'signal(7)',
];
