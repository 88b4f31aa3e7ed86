import { type Source, sourceError } from './compiler/source.ts';

/*
 * Frames as they are written on a command line: `FUNC(PARAMETERS)(PREDICATE)`, of which only FUNC must be there.
 */

/** A function that a thread must be in. */
export interface Frame {
  /** Empty: what fails itself. */
  readonly function: string;
  /** As C declares them; null: as the kernel has them. */
  readonly parameters: string | null;
  readonly predicate: string | null;
}

/** The character after a literal that begins here. */
function afterLiteral(text: string, start: number): number {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === quote) return at + 1;
  }
  return text.length;
}

/** The character after the parenthesis that closes the one here. */
function afterGroup(source: Source, start: number): number {
  const { text } = source;
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"' || character === "'") at = afterLiteral(text, at) - 1;
    else if (character === '(') depth += 1;
    else if (character === ')') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  throw sourceError(source, { start, end: start + 1 }, 'this parenthesis is not closed', 'each ( needs its )');
}

const usage = "as in 'd_alloc_parallel(struct dentry *parent, const struct qstr *name)(name->len > 3)'";

/** What is between parentheses, from here on. */
function groupsFrom(source: Source, start: number): { readonly groups: readonly string[]; readonly end: number } {
  const groups: string[] = [];
  let at = start;
  const skipSpace = (): void => {
    while (/\s/u.test(source.text[at] ?? '')) at += 1;
  };
  skipSpace();
  while (source.text[at] === '(') {
    const end = afterGroup(source, at);
    groups.push(source.text.slice(at + 1, end - 1).trim());
    at = end;
    skipSpace();
  }
  return { groups, end: at };
}

function orNull(text: string | undefined): string | null {
  return text === undefined || text.trim() === '' ? null : text;
}

function readFrame(source: Source, start: number): { readonly frame: Frame; readonly end: number } {
  const name = /\s*([A-Za-z_][\w.]*)?/uy;
  name.lastIndex = start;
  const match = name.exec(source.text);
  const { groups, end } = groupsFrom(source, start + (match?.[0].length ?? 0));
  const called = match?.[1] ?? '';
  const span = { start, end: Math.max(end, start + 1) };
  if (called === '' && groups.length === 0) throw sourceError(source, span, 'there is no frame here', usage);
  if (groups.length > 2) throw sourceError(source, span, 'there is more than parameters and a predicate', usage);
  const [first, second] = groups;
  // One pair of parentheses without a name before it is a predicate on what fails.
  const isOnlyPredicate = called === '' && groups.length === 1;
  const frame: Frame = {
    function: called,
    parameters: isOnlyPredicate ? null : orNull(first),
    predicate: isOnlyPredicate ? orNull(first) : orNull(second),
  };
  return { frame, end };
}

/** @throws {FaultlineError} ARGUMENT_INVALID, with the place */
export function parseFrame(text: string): Frame {
  const source: Source = { what: 'the frame', text };
  const { frame, end } = readFrame(source, 0);
  if (end === text.length) return frame;
  const hint = text.slice(end).startsWith('=>') ? '--spec takes several frames in one text' : usage;
  throw sourceError(source, { start: end, end: text.length }, 'this is no part of a frame', hint);
}

/**
 * The frames of a text as inject.py takes it, turned around: the outermost first.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, with the place
 */
export function parseSpecText(text: string): readonly Frame[] {
  const source: Source = { what: 'the spec', text };
  const frames: Frame[] = [];
  let at = 0;
  for (;;) {
    const { frame, end } = readFrame(source, at);
    frames.push(frame);
    if (end === text.length) return frames.toReversed();
    if (!text.startsWith('=>', end)) {
      throw sourceError(
        source,
        { start: end, end: text.length },
        'this is no part of a frame',
        '=> stands between two',
      );
    }
    at = end + 2;
  }
}
