import { pidfdSupport } from '../../src/linux/pidfd.ts';

/*
 * Comparing what a page shows with what was seen. Some of it is never the same twice: uids, PIDs, times. A page shows
 * them as they once were; here they may be others, but the same one must be the same wherever it stands.
 */

/** What was seen for what a page shows: `9cb6b3be-…` in the page is `0786c31a-…` in this run. */
export type Bindings = ReadonlyMap<string, string>;

interface Kind {
  /** How it looks in a page. */
  readonly shown: RegExp;
  /** How it may look in a run. */
  readonly seen: string;
  /** Must it be the same again wherever the page shows the same? */
  readonly bound: boolean;
}

/**
 * Before Linux 6.15 only its parent learns how a process ended; then the verdict says so, in place of what is shown.
 */
const invisible = pidfdSupport().exitInfo ? [] : [String.raw`is gone \(how it ended is not visible to us\)`];

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

const kinds: readonly Kind[] = [
  { shown: /…/u, seen: '.*', bound: false },
  { shown: /died of SIGKILL/u, seen: `(?:${['died of SIGKILL', ...invisible].join('|')})`, bound: false },
  { shown: new RegExp(uuid, 'u'), seen: uuid, bound: true },
  { shown: /\d{4}-\d\d-\d\dT[\d:.]+Z/u, seen: String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`, bound: false },
  { shown: /\d+(?:\.\d+)? (?:µs|ms|s)\b/u, seen: String.raw`\d+(?:\.\d+)? (?:µs|ms|s)\b`, bound: false },
  { shown: /(?<=(?:\bpid|"(?:parentPid|pid)":) ?)\d+/u, seen: String.raw`\d+`, bound: true },
  { shown: /(?<=\bmount )\d+/u, seen: String.raw`\d+`, bound: false },
  { shown: /(?<=(?:\buid|"uid":) ?)\d+/u, seen: String.raw`\d+`, bound: false },
  { shown: /(?<=--seed )[0-9a-f]{12}\b/u, seen: '[0-9a-f]{12}', bound: true },
  { shown: /\b(?:x64|arm64)\b/u, seen: '(?:x64|arm64)', bound: false },
  { shown: /\b\d+\.\d+\.\d+\b/u, seen: String.raw`\d+\.\d+\.\d+`, bound: false },
  { shown: /\broot\b/u, seen: String.raw`[\w.-]+`, bound: false },
];

/** The PIDs that a text shows with the word `pid` before them: from then on the bare number is one, too. */
export function pidsIn(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/(?:\bpid|"(?:parentPid|pid)":) ?(\d+)/gu)].map(([, pid = '']) => pid));
}

/** Columns are as wide as their contents, which are not always the same: only that there is a gap counts. */
function withoutWidths(text: string): string {
  return text
    .replaceAll(/ {2,}/gu, '  ')
    .replaceAll(/-{3,}/gu, '---')
    .replaceAll(/ +$/gmu, '')
    .replaceAll(/^ (?=\S)/gmu, '');
}

const escaped = (text: string): string => text.replaceAll(/[$()*+./?[\\\]^{|}]/gu, String.raw`\$&`);

/** One kind of thing at one place of the expected text. */
interface Variable {
  readonly index: number;
  readonly text: string;
  readonly kind: Kind;
}

function variablesIn(text: string, pids: ReadonlySet<string>): readonly Variable[] {
  const barePids = [...pids].map(
    (pid): Kind => ({ shown: new RegExp(`\\b${pid}\\b`, 'u'), seen: '\\d+', bound: true }),
  );
  const found = [...kinds, ...barePids].flatMap((kind) =>
    [...text.matchAll(new RegExp(kind.shown, 'gu'))].map(({ index, 0: match }) => ({ index, text: match, kind })),
  );
  const sorted = found.toSorted((a, b) => a.index - b.index || b.text.length - a.text.length);
  let end = 0;
  return sorted.filter(({ index, text: { length } }) => {
    if (index < end) return false;
    end = index + length;
    return true;
  });
}

/** A pattern for the expected text, and the names of its groups by what they stand for. */
function patternFor(expected: string, pids: ReadonlySet<string>, bindings: Bindings) {
  const groups = new Map<string, string>();
  const pieces: string[] = [];
  let end = 0;
  for (const { index, text, kind } of variablesIn(expected, pids)) {
    pieces.push(escaped(expected.slice(end, index)));
    end = index + text.length;
    const known = bindings.get(text);
    const group = groups.get(text);
    if (!kind.bound) pieces.push(kind.seen);
    else if (known !== undefined) pieces.push(escaped(known));
    else if (group !== undefined) pieces.push(String.raw`\k<${group}>`);
    else {
      groups.set(text, `v${groups.size}`);
      pieces.push(`(?<v${groups.size - 1}>${kind.seen})`);
    }
  }
  pieces.push(escaped(expected.slice(end)));
  // A line that is nothing but an ellipsis stands for any number of lines, none too.
  const pattern = pieces.join('').replaceAll(/^\.\*(?:\n|$)/gmu, String.raw`(?:.*\n)*?`);
  return { pattern: new RegExp(`^${pattern}$`, 'u'), groups };
}

/**
 * Is this what the page shows?
 *
 * @param pids the PIDs that the page shows anywhere under this heading
 * @returns the bindings with those that are new, or undefined if it is not what the page shows
 */
export function matchOutput(
  expected: readonly string[],
  actual: readonly string[],
  pids: ReadonlySet<string>,
  bindings: Bindings,
): Bindings | undefined {
  const lines = (text: readonly string[]): string => withoutWidths(text.map((line) => `${line}\n`).join(''));
  const { pattern, groups } = patternFor(lines(expected), pids, bindings);
  const match = pattern.exec(lines(actual));
  if (match === null) return undefined;
  const fresh = [...groups].map(([shown, group]) => [shown, match.groups?.[group] ?? ''] as const);
  return new Map([...bindings, ...fresh]);
}

/** A command as the page shows it, with what this run has in place of the page's uids and PIDs. */
export function withBindings(command: string, bindings: Bindings): string {
  return [...bindings].reduce(
    (text, [shown, seen]) => text.replaceAll(new RegExp(`(?<![\\w-])${escaped(shown)}(?![\\w-])`, 'gu'), seen),
    command,
  );
}
