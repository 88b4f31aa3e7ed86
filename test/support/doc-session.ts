import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readMounts } from '../../src/linux/mount-table.ts';
import { family, program, sleeper, start } from '../host/targets/processes.ts';
import { tempFolder } from './cli.ts';
import type { ShownCommand, ShownSession } from './console-blocks.ts';
import { choosePorts, type Ports, servicesOf, shownWith, typedWith } from './doc-service.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import { type Bindings, matchOutput, pidsIn, withBindings } from './transcript.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Where the pages say that things are, and where they are in a run. */
type Places = readonly (readonly [shown: string, real: string])[];

/** What is called otherwise in a run than in the pages. */
interface Names {
  readonly tag: string;
  readonly places: Places;
  readonly ports: Ports;
}

/**
 * Names of processes that pages use get a tag, so that no other run's processes bear them.
 *
 * @returns the name with the tag: `fl-web` → `fl-web-3f9c`, within the kernel's 15 bytes
 */
function tagged(text: string, tag: string): string {
  return text.replaceAll(/\bfl-[a-z]{1,7}\b/gu, (name) => `${name}-${tag}`);
}

/** `npx` in a clone runs the clone's own command; what npm does to find it is tested by itself. */
const npx = '#!/bin/sh\nexec "$@"\n';

function makeCommands(folder: string): void {
  mkdirSync(folder);
  for (const name of ['faultline', 'chaosd']) symlinkSync(path.join(root, `dist/${name}.js`), path.join(folder, name));
  writeFileSync(path.join(folder, 'npx'), npx, { mode: 0o755 });
}

function environment(folder: string): NodeJS.ProcessEnv {
  const { PATH = '', FAULTLINE_TEST_RUN } = process.env;
  return {
    PATH: [path.join(folder, 'bin'), path.dirname(process.execPath), PATH].join(':'),
    HOME: path.join(folder, 'home'),
    TERM: 'xterm',
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
    TMPDIR: path.join(folder, 'home'),
    FAULTLINE_STATE_DIR: path.join(folder, 'state'),
    FAULTLINE_POLICY: '',
    ...(FAULTLINE_TEST_RUN === undefined ? {} : { FAULTLINE_TEST_RUN }),
  };
}

/** What the session's comments ask for is there before its first command. */
async function startWanted({ wanted }: ShownSession, tag: string): Promise<void> {
  for (const { name, supervised } of wanted) {
    const real = tagged(name, tag);
    if (supervised) await family(await start('/bin/sh', ['-c', `while :; do ${program(real)} 3600; done`]), [real]);
    else await sleeper(real);
  }
}

/** Lines without the empty one after the last line feed, with everything called what the pages call it. */
function asShown(output: string, { tag, places, ports }: Names): readonly string[] {
  const told = places.reduce((text, [shown, real]) => text.replaceAll(real, shown), shownWith(ports, output));
  const lines = told.replaceAll(new RegExp(`(fl-[a-z]{1,7})-${tag}`, 'gu'), '$1').split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** The files that the page shows, with the places and the processes of this run. */
function writeFiles({ files }: ShownSession, home: string, { places, tag }: Names): void {
  for (const { name, text } of files) {
    const real = places.reduce((told, [shown, there]) => told.replaceAll(shown, there), text);
    writeFileSync(path.join(home, name), tagged(real, tag));
  }
}

/** Whatever the session has injected must not outlive it, even if a command of it failed: a volume above all. */
async function undoAll({ needsIo }: ShownSession, terminal: Terminal, folder: string): Promise<void> {
  if (!needsIo) return;
  try {
    await terminal.type('faultline recover --all');
  } finally {
    const left = readMounts('self')?.filter(({ mountPoint }) => mountPoint.startsWith(folder)) ?? [];
    for (const { mountPoint } of left) spawnSync('umount', ['-l', mountPoint]);
  }
}

interface Complaint {
  readonly session: ShownSession;
  readonly shown: ShownCommand;
  readonly actual: readonly string[];
  readonly bindings: Bindings;
}

/** Says what is wrong, with the page's own uids and PIDs, so that only what differs looks different. */
function complaint({ session, shown, actual, bindings }: Complaint, what: string): Error {
  const inverse: Bindings = new Map([...bindings].map(([one, other]) => [other, one]));
  return new Error(
    [
      `${session.page}:${shown.line}, under "${session.heading}": ${what}`,
      `$ ${shown.command}`,
      '--- the page shows',
      ...shown.output,
      '--- this was seen',
      ...actual.map((line) => withBindings(line, inverse)),
    ].join('\n'),
  );
}

/** Whom a command would hit; undefined where it hits nobody. */
function targetOf(command: string): string | undefined {
  if (/\battack process\b/u.test(command) && !/ (?:--dry-run|--help|-h)(?: |$)/u.test(command)) {
    return /(?:-p|--process) (\S+)/u.exec(command)?.[1] ?? '';
  }
  if (/\bcurl\b.* (?:-d|--data\S*) ?@/u.test(command)) return '';
  if (!/\bcurl\b.*"process"/u.test(command) || command.includes('/api/v1/plans')) return undefined;
  return /"proces+":"?([^",}]+)/u.exec(command)?.[1] ?? '';
}

/** A command that hits processes must say which in a way that no stranger's process can meet. */
function refuseBroad({ command }: ShownCommand, bindings: Bindings): void {
  const target = targetOf(command);
  if (target === undefined) return;
  const ours = [...bindings.values()].includes(target) || /^(?:\$!|"?\$PID"?|fl-[a-z]{1,7}-[0-9a-f]{4})$/u.test(target);
  if (!ours) {
    throw new Error(`"${command}" may hit processes that are not the page's: name them fl-…, or add --dry-run`);
  }
}

function makeFolders(folder: string): void {
  makeCommands(path.join(folder, 'bin'));
  for (const name of ['home', 'terminal']) mkdirSync(path.join(folder, name), { mode: 0o700 });
}

async function namesFor(folder: string, tag: string): Promise<Names> {
  const places: Places = [
    ['/var/lib/faultline', path.join(folder, 'state')],
    ['/home/you', path.join(folder, 'home')],
    ['/usr/local/bin', path.dirname(program(`fl-any-${tag}`))],
  ];
  return { tag, places, ports: await choosePorts() };
}

/**
 * Do what a page shows, and compare. A command must end with exit code 0, unless the page shows the code right after
 * it with `echo $?`.
 *
 * @throws Error that shows the page's output and the real one
 */
export async function runSession(session: ShownSession): Promise<void> {
  const folder = tempFolder('faultline-docs-');
  const names = await namesFor(folder, randomBytes(2).toString('hex'));
  makeFolders(folder);
  writeFiles(session, path.join(folder, 'home'), names);
  await startWanted(session, names.tag);
  const pids = pidsIn(session.commands.flatMap(({ output }) => output).join('\n'));
  let bindings: Bindings = new Map();
  const terminal = openTerminal(path.join(folder, 'terminal'), path.join(folder, 'home'), environment(folder));
  const services = servicesOf(terminal, path.join(folder, 'terminal'));
  const run = async ({ service, output: expected }: ShownCommand, command: string) => {
    if (!service) return terminal.type(command);
    const isSeen = (text: string): boolean => matchOutput(expected, asShown(text, names), pids, bindings) !== undefined;
    return services.start(command, isSeen);
  };
  try {
    for (const [index, shown] of session.commands.entries()) {
      const command = typedWith(names.ports, tagged(withBindings(shown.command, bindings), names.tag));
      refuseBroad({ ...shown, command }, bindings);
      const { output, code } = await run(shown, command);
      const actual = asShown(output, names);
      const matched = matchOutput(shown.output, actual, pids, bindings);
      const about = { session, shown, actual, bindings };
      if (matched === undefined) throw complaint(about, 'the output is another one');
      bindings = matched;
      const told = session.commands[index + 1]?.command === 'echo $?';
      if (code !== 0 && !told) throw complaint(about, `it ended with exit code ${code}`);
    }
  } finally {
    try {
      await undoAll(session, terminal, folder);
    } finally {
      await terminal.close();
    }
  }
}
