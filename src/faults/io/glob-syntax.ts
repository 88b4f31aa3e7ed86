import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';

/*
 * The grammar of path patterns: those of Chaos Mesh (`*`, `?`, `[a-z]`, `**`) and braces.
 */

/** Code points from the first to the second, both included. */
export type PointRange = readonly [number, number];

export type GlobNode =
  | { readonly kind: 'point'; readonly point: number }
  /** `?`: one character, but no slash. */
  | { readonly kind: 'any' }
  /** `[a-z]`: one of these, or with `!` none of these; never a slash. */
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly PointRange[] }
  /** `*`: any number of characters, but no slash. */
  | { readonly kind: 'star' }
  /** `**` and the slash after it: any number of folders, with their slashes. */
  | { readonly kind: 'folders' }
  /** `**` at the end: one or more characters of any kind. */
  | { readonly kind: 'everything' }
  /** `{a,b}` */
  | { readonly kind: 'either'; readonly alternatives: readonly GlobSequence[] };

export type GlobSequence = readonly GlobNode[];

/** Longer than any path that a program can open: PATH_MAX of include/uapi/linux/limits.h. */
const maxPatternLength = 4096;

const maxDepth = 16;

/** A pattern that is none, with the place where it goes wrong. */
function malformed(what: string, pattern: string, position: number, reason: string): FaultlineError {
  const characters = [...pattern];
  const before = printable(characters.slice(0, position).join(''));
  const hint = `at character ${position + 1}:\n  ${printable(pattern)}\n  ${' '.repeat([...before].length)}^`;
  return new FaultlineError('ARGUMENT_INVALID', `${what} is not a valid pattern: ${reason}`, {
    hint,
    details: { pattern, position: position + 1 },
  });
}

class GlobParser {
  private readonly characters: readonly string[];
  private at = 0;
  private depth = 0;
  private readonly pattern: string;
  private readonly what: string;

  constructor(pattern: string, what: string) {
    this.pattern = pattern;
    this.what = what;
    this.characters = [...pattern];
  }

  parse(): GlobSequence {
    if (this.characters.length > maxPatternLength) this.fail(maxPatternLength, `longer than ${maxPatternLength}`);
    const sequence = this.sequence();
    if (this.peek() !== undefined) this.fail(this.at, 'this "}" closes nothing; write \\} for the character');
    return sequence;
  }

  private peek(ahead = 0): string | undefined {
    return this.characters[this.at + ahead];
  }

  private fail(position: number, reason: string): never {
    throw malformed(this.what, this.pattern, position, reason);
  }

  /** Up to the end, or, inside braces, up to what ends the alternative. */
  private sequence(): GlobSequence {
    const nodes: GlobNode[] = [];
    for (let character = this.peek(); character !== undefined; character = this.peek()) {
      if (character === '}' || (character === ',' && this.depth > 0)) break;
      nodes.push(this.node(character));
    }
    return nodes;
  }

  private node(character: string): GlobNode {
    switch (character) {
      case '*':
        return this.stars();
      case '[':
        return this.characterClass();
      case '{':
        return this.either();
      case '?':
        this.at += 1;
        return { kind: 'any' };
      default:
        return { kind: 'point', point: this.point() };
    }
  }

  /** One character as it is, or after a backslash. */
  private point(): number {
    const escaped = this.peek() === '\\';
    if (escaped) this.at += 1;
    const character = this.peek();
    if (character === undefined) this.fail(this.at - 1, 'there is nothing after the backslash');
    this.at += 1;
    return character.codePointAt(0) ?? 0;
  }

  private stars(): GlobNode {
    const start = this.at;
    while (this.peek() === '*') this.at += 1;
    const stars = this.at - start;
    if (stars === 1) return { kind: 'star' };
    if (stars > 2) this.fail(start + 2, 'there are at most two stars in a row');
    const before = this.characters[start - 1];
    const inBraces = this.depth > 0;
    if (before !== '/' && !(inBraces && (before === '{' || before === ','))) {
      this.fail(start, '"**" stands for whole folders: put a slash before it, or write one star');
    }
    const after = this.peek();
    if (after === undefined || (inBraces && (after === ',' || after === '}'))) return { kind: 'everything' };
    if (after !== '/') this.fail(this.at, '"**" stands for whole folders: put a slash after it, or write one star');
    this.at += 1;
    return { kind: 'folders' };
  }

  private characterClass(): GlobNode {
    const start = this.at;
    this.at += 1;
    const negated = this.peek() === '!' || this.peek() === '^';
    if (negated) this.at += 1;
    const ranges: PointRange[] = [];
    // The first character of a class is one of its characters, even if it is the one that closes it.
    for (let first = true; first || this.peek() !== ']'; first = false) {
      if (this.peek() === undefined) this.fail(start, 'this "[" is never closed; write \\[ for the character');
      if (this.peek() === '[' && this.peek(1) === ':') {
        this.fail(this.at, 'named classes are not known here: write their ranges, such as [0-9A-Za-z]');
      }
      ranges.push(this.range(start));
    }
    this.at += 1;
    return { kind: 'class', negated, ranges };
  }

  private range(classStart: number): PointRange {
    const start = this.at;
    const low = this.classPoint();
    if (this.peek() !== '-' || this.peek(1) === ']' || this.peek(1) === undefined) return [low, low];
    this.at += 1;
    if (this.peek() === undefined) this.fail(classStart, 'this "[" is never closed');
    const high = this.classPoint();
    if (high < low) this.fail(start, 'this range runs backwards');
    return [low, high];
  }

  private classPoint(): number {
    if (this.peek() === '/') this.fail(this.at, 'a class matches a character of a name, and a slash is none');
    return this.point();
  }

  private either(): GlobNode {
    const start = this.at;
    this.depth += 1;
    if (this.depth > maxDepth) this.fail(start, `braces are nested more than ${maxDepth} deep`);
    const alternatives: GlobSequence[] = [];
    do {
      this.at += 1;
      alternatives.push(this.sequence());
    } while (this.peek() === ',');
    if (this.peek() !== '}') this.fail(start, 'this "{" is never closed; write \\{ for the character');
    this.at += 1;
    this.depth -= 1;
    return { kind: 'either', alternatives };
  }
}

/** What makes a pattern match nothing, because the paths that it is compared with are absolute and plain. */
function refuseUnmatchable(pattern: string, what: string): void {
  const places: readonly (readonly [RegExp, string])[] = [
    [/^(?!\/)/u, 'a path is absolute: begin with "/"'],
    [/\/\/+/u, 'no path has two slashes in a row'],
    [/\/\.{1,2}(?=\/|$)/u, 'no path has a folder "." or ".." in it: write what it stands for'],
    [/(?<=.)\/$/u, 'no path ends in a slash: leave it out, or add "**" for all that is in the folder'],
  ];
  for (const [sign, reason] of places) {
    const match = sign.exec(pattern);
    if (match !== null) throw malformed(what, pattern, Array.from(pattern.slice(0, match.index)).length, reason);
  }
}

/**
 * The parts of an absolute path pattern.
 *
 * @param what names it in the error: `--path`
 * @throws {FaultlineError} ARGUMENT_INVALID, with the place of what is wrong in its hint
 */
export function parseGlobSyntax(pattern: string, what: string): GlobSequence {
  refuseUnmatchable(pattern, what);
  return new GlobParser(pattern, what).parse();
}
