import type { Document, LineCounter, Node, Scalar } from 'yaml';
import type { Problems, Spot } from './problems.ts';

/*
 * A YAML file as a small tree of its own: plain values, each with its place. What YAML can do beyond that (tags,
 * several documents, keys that are no texts) is refused here, so that nobody who reads the tree has to think of it.
 */

/** A value in the file, with the place where it begins. */
export type Part = MapPart | ListPart | ScalarPart;

export interface MapPart {
  readonly kind: 'map';
  readonly at: Spot;
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly key: string;
  readonly keyAt: Spot;
  readonly value: Part;
}

export interface ListPart {
  readonly kind: 'list';
  readonly at: Spot;
  readonly items: readonly Part[];
}

export interface ScalarPart {
  readonly kind: 'scalar';
  readonly at: Spot;
  readonly value: string | number | boolean | null;
  /** As it was written: `0x1F`, where the value is 31. */
  readonly source: string;
}

/** Far beyond what people write, and far below what aliases of aliases can unfold to. */
const mostParts = 20_000;
const deepest = 60;

/** Something after which the rest of the file cannot be told. */
class Unreadable extends Error {
  readonly at: Spot;
  readonly hint: string;

  constructor(at: Spot, problem: string, hint: string) {
    super(problem);
    this.at = at;
    this.hint = hint;
  }
}

const shorter = 'write it out, without aliases and with less in each other';

type Yaml = typeof import('yaml');

interface Walk {
  readonly yaml: Yaml;
  readonly document: Document.Parsed;
  readonly problems: Problems;
  readonly spotOf: (node: unknown) => Spot;
  parts: number;
}

function scalarOf({ problems, spotOf }: Walk, node: Scalar): ScalarPart {
  const at = spotOf(node);
  const { value, source } = node;
  const shown = source ?? String(value);
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) {
      problems.add(at, `${shown} is too large for a number`, 'put it in quotation marks');
    }
    return { kind: 'scalar', at, value: number, source: shown };
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    problems.add(at, `${shown} is no number that anything could have`, 'write a finite one');
  }
  const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
  return { kind: 'scalar', at, value: plain, source: shown };
}

function keyOf({ yaml, problems, spotOf }: Walk, key: unknown): string | undefined {
  // What is no text has its source: a number, or true.
  if (yaml.isScalar(key) && typeof key.value === 'string') return key.value;
  if (yaml.isScalar(key) && key.value !== null && key.source !== undefined) return key.source;
  return problems.add(spotOf(key), 'a key must be a word', 'write "key: value"');
}

function mapOf(walk: Walk, node: Node, depth: number): MapPart {
  const { yaml, problems, spotOf } = walk;
  const at = spotOf(node);
  const entries = new Map<string, Entry>();
  for (const { key: keyNode, value } of yaml.isMap(node) ? node.items : []) {
    const key = keyOf(walk, keyNode);
    if (key === undefined) continue;
    const [keyAt, twin] = [spotOf(keyNode), entries.get(key)];
    if (twin !== undefined) {
      const short = key.slice(0, 80);
      problems.add(keyAt, `"${short}" stands in line ${twin.keyAt.line} already`, 'keep one of them');
    } else {
      entries.set(key, { key, keyAt, value: partOf(walk, value ?? null, depth + 1, keyAt) });
    }
  }
  return { kind: 'map', at, entries: [...entries.values()] };
}

/** @param above where an absent value would have stood */
function partOf(walk: Walk, node: unknown, depth: number, above: Spot): Part {
  const { yaml, document, spotOf } = walk;
  const at = node === null ? above : spotOf(node);
  walk.parts += 1;
  if (walk.parts > mostParts || depth > deepest) throw new Unreadable(at, 'here the file unfolds to too much', shorter);
  if (yaml.isAlias(node)) {
    const target = node.resolve(document);
    if (target !== undefined) return partOf(walk, target, depth + 1, at);
    throw new Unreadable(at, `nothing is called &${node.source} before`, 'put the text in quotation marks');
  }
  if (yaml.isMap(node)) return mapOf(walk, node, depth);
  if (yaml.isSeq(node)) return { kind: 'list', at, items: node.items.map((item) => partOf(walk, item, depth + 1, at)) };
  if (yaml.isScalar(node)) return scalarOf(walk, node);
  return { kind: 'scalar', at, value: null, source: '' };
}

/** What YAML's own reader has to say, in our words where they help more. */
const hints: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  MULTIPLE_DOCS: 'one experiment a file: take away what follows the line ---',
  BAD_INDENT: 'indent with spaces: what belongs together begins in the same column',
  BLOCK_AS_IMPLICIT_KEY: 'put the text in quotation marks, or check the indentation',
  MULTILINE_IMPLICIT_KEY: 'put the text in quotation marks, or check the indentation',
  MISSING_CHAR: 'a bracket, a brace, a colon or a quotation mark is missing',
  UNEXPECTED_TOKEN: 'put the text in quotation marks',
  BAD_SCALAR_START: 'put the text in quotation marks',
  RESOURCE_EXHAUSTION: 'write less in each other',
  BAD_ALIAS: 'put the text in quotation marks',
  TAG_RESOLVE_FAILED: 'write it without a tag',
};

const problemNames: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'a second document begins here',
  RESOURCE_EXHAUSTION: 'this is nested too deeply',
};

/** The first of them: what follows is mostly a consequence of it. */
function tellSyntax({ document, problems }: Walk, lines: LineCounter): boolean {
  const [error] = [...document.errors, ...document.warnings];
  if (error === undefined) return false;
  const [whole = ''] = error.message.split('\n');
  const plain = whole.replace(/ at line \d.*$/u, '').slice(0, 200);
  const hint = hints[error.code] ?? 'the file must be YAML: "key: value", lists with "- ", indented with spaces';
  problems.add(spotAt(lines, error.pos[0]), problemNames[error.code] ?? plain, hint);
  return true;
}

function spotAt(lines: LineCounter, offset: number): Spot {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** What no text file has; YAML 1.2, section 5.1. */
const noText = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ud800-\udfff\ufffe\uffff]/u;

function tellControls(text: string, problems: Problems): boolean {
  const found = noText.exec(text);
  if (found === null) return false;
  const before = text.slice(0, found.index).split('\n');
  const at = { line: before.length, column: (before.at(-1) ?? '').length + 1 };
  problems.add(at, `here is a control character: ${found[0]}`, 'an experiment is a text file, in YAML');
  return true;
}

function walkOver(yaml: Yaml, text: string, lines: LineCounter, problems: Problems): Walk {
  const options = { lineCounter: lines, uniqueKeys: false, intAsBigInt: true, prettyErrors: false, strict: true };
  const document = yaml.parseDocument(text, options);
  const spotOf = (node: unknown): Spot => spotAt(lines, (node as Node | null | undefined)?.range?.[0] ?? 0);
  return { yaml, document, problems, spotOf, parts: 0 };
}

/**
 * The tree of a file's text; undefined where it is no YAML, which is then among the problems.
 *
 * Duplicate keys are found here, for the library would compare each with each.
 */
export async function readTree(text: string, problems: Problems): Promise<Part | undefined> {
  if (tellControls(text, problems)) return undefined;
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const start = { line: 1, column: 1 };
  try {
    const walk = walkOver(yaml, text, lines, problems);
    if (tellSyntax(walk, lines)) return undefined;
    return partOf(walk, walk.document.contents, 0, start);
  } catch (error) {
    if (error instanceof Unreadable) return problems.add(error.at, error.message, error.hint);
    if (error instanceof RangeError) return problems.add(start, 'the file is nested too deeply', shorter);
    throw error;
  }
}
