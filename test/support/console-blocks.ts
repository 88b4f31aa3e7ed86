/*
 * The commands that a page of the documentation shows: blocks marked `console`, in which a line `$ command` is typed
 * and what follows, up to the next one, is what is seen. CONTRIBUTING.md tells the convention.
 */

/** One command, and what the page says is seen after it. */
export interface ShownCommand {
  /** Line of the page, from 1. */
  readonly line: number;
  readonly command: string;
  readonly output: readonly string[];
  /** It runs a service in a terminal of its own, until the session ends or the next service begins. */
  readonly service: boolean;
}

/** A process that a comment in the page asks for. */
export interface WantedProcess {
  readonly name: string;
  /** It is started again whenever it ends. */
  readonly supervised: boolean;
}

/** A file that a page shows, to be there before the first command. */
export interface WrittenFile {
  readonly name: string;
  readonly text: string;
}

/** What stands under one heading: it is run in one shell, with a state folder of its own. */
export interface ShownSession {
  readonly page: string;
  readonly heading: string;
  readonly wanted: readonly WantedProcess[];
  readonly files: readonly WrittenFile[];
  /** It injects faults in files, which not every host and not every user may. */
  readonly needsIo: boolean;
  readonly commands: readonly ShownCommand[];
}

/** A block of code that is not run. */
export interface CodeBlock {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** What the comment before it says: `file: <path>`. */
  readonly comment: string;
}

interface Fence {
  readonly line: number;
  readonly language: string;
  readonly comment: string;
  readonly lines: string[];
}

interface Piece {
  readonly heading?: string;
  readonly wanted?: readonly WantedProcess[];
  /** The flags of a service that the page wants to be running. */
  readonly service?: string;
  readonly needsIo?: boolean;
  readonly fence?: Fence;
}

const comment = /^<!-- (.+) -->$/u;

function wantedIn(line: string): readonly WantedProcess[] {
  const [, verb, names = ''] = /^<!-- (start|supervise): (.+) -->$/u.exec(line) ?? [];
  if (verb === undefined) return [];
  return names.split(' ').map((name) => ({ name, supervised: verb === 'supervise' }));
}

function serviceIn(line: string): string | undefined {
  const match = /^<!-- service(?:: (.+))? -->$/u.exec(line);
  return match === null ? undefined : (match[1] ?? '');
}

/** What a line outside of all blocks asks for. */
function* askedIn(line: string): Generator<Piece> {
  const [, heading] = /^##? (.+)$/u.exec(line) ?? [];
  if (heading !== undefined) yield { heading };
  const wanted = wantedIn(line);
  if (wanted.length > 0) yield { wanted };
  const service = serviceIn(line);
  if (service !== undefined) yield { service };
  if (line === '<!-- needs: io -->') yield { needsIo: true };
}

/** The page as headings, comments that ask for processes, and fenced blocks, in order. */
function* piecesOf(text: string): Generator<Piece> {
  let fence: Fence | undefined;
  let before = '';
  for (const [index, line] of text.split('\n').entries()) {
    const [, language] = /^```(\w*)/u.exec(line) ?? [];
    if (fence !== undefined && line === '```') {
      yield { fence };
      fence = undefined;
      before = ''; // a comment is about the block that follows it
    } else if (fence !== undefined) {
      fence.lines.push(line);
    } else if (language !== undefined) {
      fence = { line: index + 1, language, comment: comment.exec(before)?.[1] ?? '', lines: [] };
    } else {
      yield* askedIn(line);
      if (line !== '') before = line;
    }
  }
  if (fence !== undefined) throw new Error(`the block that begins in line ${fence.line} has no end`);
}

function commandsIn({ line: first, lines }: Fence): readonly ShownCommand[] {
  const commands: (ShownCommand & { output: string[] })[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('$ ')) {
      commands.push({ line: first + index + 1, command: line.slice(2), output: [], service: false });
    } else if (commands.length === 0) {
      throw new Error(`line ${first + 1}: a console block begins with "$ " and a command`);
    } else commands.at(-1)?.output.push(line);
  }
  return commands;
}

const startsService = /^(?:npx )?(?:faultline|chaosd) server\b/u;

/** A block with the service that it wants: the one that it shows, or else one with these flags that runs before it. */
function withService([first, ...others]: readonly ShownCommand[], flags: string): readonly ShownCommand[] {
  if (first === undefined) return [];
  if (flags === '' && startsService.test(first.command)) return [{ ...first, service: true }, ...others];
  const command = `faultline server ${flags}`.trimEnd();
  return [{ line: first.line, command, output: ['…'], service: true }, first, ...others];
}

/** The file that a block is to be written to, if its comment says so. */
function fileOf({ comment: said, lines }: Fence): readonly WrittenFile[] {
  const [, name] = /^write: ([\w.-]+)$/u.exec(said) ?? [];
  return name === undefined ? [] : [{ name, text: lines.map((line) => `${line}\n`).join('') }];
}

type Growing = Omit<ShownSession, 'needsIo'> & {
  wanted: WantedProcess[];
  files: WrittenFile[];
  needsIo: boolean;
  commands: ShownCommand[];
};

/** What a page shows, a session for each heading of the first two levels that has commands below it. */
export function sessionsOf(page: string, text: string): readonly ShownSession[] {
  const sessions: Growing[] = [];
  let service: string | undefined;
  for (const { heading, wanted = [], service: flags, needsIo = false, fence } of piecesOf(text)) {
    if (heading !== undefined) sessions.push({ page, heading, wanted: [], files: [], needsIo: false, commands: [] });
    const session = sessions.at(-1);
    session?.wanted.push(...wanted);
    if (session !== undefined && needsIo) session.needsIo = true;
    if (fence !== undefined) session?.files.push(...fileOf(fence));
    service = flags ?? service;
    if (fence?.language !== 'console') continue;
    const commands = commandsIn(fence);
    session?.commands.push(...(service === undefined ? commands : withService(commands, service)));
    service = undefined;
  }
  return sessions.filter(({ commands }) => commands.length > 0);
}

/** The other blocks of a page. */
export function codeBlocksOf(page: string, text: string): readonly CodeBlock[] {
  return [...piecesOf(text)].flatMap(({ fence }) =>
    fence === undefined || fence.language === 'console'
      ? []
      : [
          {
            page,
            line: fence.line,
            language: fence.language,
            text: fence.lines.join('\n'),
            comment: fence.comment,
          },
        ],
  );
}
