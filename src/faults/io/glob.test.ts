import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FaultlineError } from '../../base/error.ts';
import { decodeFileName } from '../../base/file-name.ts';
import { parseGlob } from './glob.ts';

const matches = (pattern: string, path: string): boolean => parseGlob(pattern).matches(path);

function errorOf(pattern: string): FaultlineError {
  try {
    parseGlob(pattern);
  } catch (error) {
    if (error instanceof FaultlineError) return error;
  }
  throw new Error(`${pattern} was taken`);
}

describe('path patterns', () => {
  it.each([
    ['/data/wal', ['/data/wal'], ['/data', '/data/wal/1', '/data/wa', '/data/wall']],
    ['/data/*', ['/data/a', '/data/.hidden', '/data/ä'], ['/data', '/data/a/b']],
    ['/data/*.log', ['/data/.log', '/data/a.log', '/data/a.log.log'], ['/data/a.log.1', '/data/b/a.log']],
    ['/data/**', ['/data/a', '/data/a/b/c'], ['/data', '/datas', '/data2/a']],
    ['/data/**/*', ['/data/a', '/data/a/b/c'], ['/data', '/dat/a']],
    ['/**/wal/*', ['/wal/1', '/data/wal/1', '/a/b/wal/1'], ['/data/wall/1', '/wal', '/data/wal/1/2']],
    ['/a/**/b/**/c', ['/a/b/c', '/a/x/b/y/z/c', '/a/b/b/c'], ['/a/c', '/a/bb/c', '/a/b/xc']],
    ['/data/?', ['/data/a', '/data/ä', '/data/😀'], ['/data/', '/data/ab', '/data//']],
    ['/data/[a-c]x', ['/data/ax', '/data/cx'], ['/data/dx', '/data/x', '/data/Ax']],
    ['/data/[!a-c]', ['/data/d', '/data/😀'], ['/data/a', '/data//', '/data/']],
    ['/data/[^a-c]', ['/data/d', '/data/^'], ['/data/a']],
    ['/data/[]a]', ['/data/]', '/data/a'], ['/data/b']],
    ['/data/[a-]', ['/data/a', '/data/-'], ['/data/b']],
    ['/data/[\\]\\\\]', ['/data/]', '/data/\\'], ['/data/a']],
    ['/data/[*?]', ['/data/*', '/data/?'], ['/data/a']],
    ['/data/\\*\\[', ['/data/*['], ['/data/a[', '/data/\\*\\[']],
    ['/data/{wal,base}/*', ['/data/wal/1', '/data/base/1'], ['/data/log/1', '/data/wal', '/data/{wal,base}/1']],
    ['/data/{a,b{c,d}}e', ['/data/ae', '/data/bce', '/data/bde'], ['/data/be', '/data/ace']],
    ['/data/a{,.gz}', ['/data/a', '/data/a.gz'], ['/data/a.']],
    ['/data/{wal/**,*.db}', ['/data/wal/a/b', '/data/x.db'], ['/data/wal', '/data/x/y.db']],
    ['/data/{**/x,y}', ['/data/x', '/data/a/b/x', '/data/y'], ['/data/a/y']],
    ['/data/a,b', ['/data/a,b'], ['/data/a']],
    ['/', ['/'], ['/a', '']],
    ['/**', ['/a', '/a/b'], ['/', '']],
  ])('%s', (pattern, yes, no) => {
    const glob = parseGlob(pattern);
    for (const path of yes) expect(glob.matches(path), path).toBe(true);
    for (const path of no) expect(glob.matches(path), path).toBe(false);
  });

  it('matches a byte that is no UTF-8 as one character, and the name as a whole', () => {
    const name = (...bytes: number[]) => `/data/${decodeFileName(Uint8Array.from(bytes))}`;
    expect(matches('/data/*', name(0xff, 0xfe))).toBe(true);
    expect(matches('/data/??', name(0xff, 0xfe))).toBe(true);
    expect(matches('/data/?', name(0xff, 0xfe))).toBe(false);
    expect(matches('/data/a?b', name(0x61, 0xe4, 0x62))).toBe(true);
    expect(matches('/data/[!a-z]', name(0xff))).toBe(true);
    expect(matches('/data/\uFFFD', name(0xff))).toBe(false);
  });

  it.each([
    ['data/*', 1, 'absolute'],
    ['', 1, 'absolute'],
    ['/data//a', 6, 'two slashes'],
    ['/data/../etc', 6, 'folder "." or ".."'],
    ['/data/.', 6, 'folder "." or ".."'],
    ['/data/', 6, 'ends in a slash'],
    ['/data/[abc', 7, 'never closed'],
    ['/data/[', 7, 'never closed'],
    ['/data/[]', 7, 'never closed'],
    ['/data/[a-', 7, 'never closed'],
    ['/data/[z-a]', 8, 'runs backwards'],
    ['/data/[a/b]', 9, 'a slash is none'],
    ['/data/[[:alpha:]]', 8, 'named classes'],
    ['/data/{a,b', 7, 'never closed'],
    ['/data/{a,{b}', 7, 'never closed'],
    ['/data/a}', 8, 'closes nothing'],
    ['/data/a\\', 8, 'nothing after the backslash'],
    ['/data/a**', 8, 'whole folders'],
    ['/data/**a', 9, 'whole folders'],
    ['/data/***', 9, 'at most two stars'],
    ['/data/ä😀[', 9, 'never closed'],
    [`/data/${'{'.repeat(17)}`, 23, 'nested'],
    [`/${'a'.repeat(4096)}`, 4097, 'longer than 4096'],
  ])('refuses %s at character %d: %s', (pattern, position, reason) => {
    const error = errorOf(pattern);
    expect(error).toMatchObject({ code: 'ARGUMENT_INVALID', details: { position } });
    expect(error.message).toContain(reason);
  });

  it('shows the place of a mistake with a caret, whatever stands before it', () => {
    expect(errorOf('/data/[abc').hint).toBe('at character 7:\n  /data/[abc\n        ^');
    expect(errorOf('/ä\u200b[').hint).toBe('at character 4:\n  /ä\\u{200b}[\n            ^');
  });

  it.each([
    ['/data/*', '/data', true],
    ['/data', '/data', true],
    ['/**', '/data', true],
    ['/{data,log}/*', '/data', true],
    ['/d?ta/**/x', '/data', true],
    ['/data/wal', '/data', true],
    ['/log/*', '/data', false],
    ['/*', '/data/sub', false],
    ['/*', '/data', true],
    ['/database/*', '/data', false],
    ['/data', '/data/sub', false],
  ])('%s reaches into %s: %s', (pattern, folder, reaches) => {
    expect(parseGlob(pattern).reachesInto(folder)).toBe(reaches);
  });

  it('takes hostile patterns in steps that grow with the path, not with its power', () => {
    const path = `/${'a'.repeat(4000)}`;
    const hostile = [
      `/${'*a'.repeat(400)}b`,
      `/${'{a,a}'.repeat(300)}*b`,
      `/${'{*,*}'.repeat(300)}b`,
      `/${'**/'.repeat(500)}b`,
      `/${'{a*,*a}'.repeat(200)}[!a]`,
    ];
    // Followed one way after the other these would take longer than the universe has been there.
    for (const pattern of hostile) expect(matches(pattern, path)).toBe(false);
  });
});

/** The same meaning, by regular expressions: slow for hostile patterns, and written independently. */
function reference(parts: readonly Part[]): RegExp {
  const source = parts.map((part) => (part.glob === '**/' ? '(?:[^/]+/)*' : part.regex)).join('');
  return new RegExp(`^/${source}$`, 'u');
}

interface Part {
  readonly glob: string;
  readonly regex: string;
}

const plain: fc.Arbitrary<Part> = fc
  .constantFrom('a', 'b', '.', 'ä')
  .map((character) => ({ glob: character, regex: character === '.' ? '\\.' : character }));
const wild: fc.Arbitrary<Part> = fc.constantFrom(
  { glob: '*', regex: '[^/]*' },
  { glob: '?', regex: '[^/]' },
  { glob: '[ab]', regex: '[ab]' },
  { glob: '[!a]', regex: '[^a/]' },
  { glob: '{a,bä,}', regex: '(?:a|bä|)' },
  { glob: '{a*,?}', regex: '(?:a[^/]*|[^/])' },
);

/** Names that are not empty and have no two stars in a row, which would be another pattern. */
const name: fc.Arbitrary<readonly Part[]> = fc
  .array(fc.oneof(plain, wild), { minLength: 1, maxLength: 4 })
  .filter(
    (parts) =>
      !parts
        .map(({ glob }) => glob)
        .join('')
        .includes('**'),
  )
  .filter((parts) => !/^\.{1,2}$/u.test(parts.map(({ glob }) => glob).join('')));

const pattern: fc.Arbitrary<readonly Part[]> = fc
  .tuple(fc.array(fc.oneof(name, fc.constant([{ glob: '**/', regex: '' }])), { maxLength: 3 }), name)
  .map(([folders, last]) => [
    ...folders.flatMap((parts) => (parts[0].glob === '**/' ? parts : [...parts, { glob: '/', regex: '/' }])),
    ...last,
  ]);

const somePath = fc
  .array(fc.string({ unit: fc.constantFrom('a', 'b', 'ä', '.'), minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((names) => `/${names.join('/')}`);

describe('path patterns, compared with regular expressions', () => {
  it('match the same paths', () => {
    fc.assert(
      fc.property(pattern, fc.array(somePath, { minLength: 1, maxLength: 10 }), (parts, paths) => {
        const glob = parseGlob(`/${parts.map((part) => part.glob).join('')}`);
        const regex = reference(parts);
        for (const path of paths) expect(glob.matches(path), `${glob.pattern} on ${path}`).toBe(regex.test(path));
      }),
      { numRuns: 500 },
    );
  });

  it('match every path that is written with all its characters escaped', () => {
    fc.assert(
      fc.property(somePath, fc.string({ minLength: 1, maxLength: 20 }), (folder, text) => {
        const path = `${folder}/x${text.replaceAll('/', '')}`;
        const escaped = [...path].map((character) => (character === '/' ? '/' : `\\${character}`)).join('');
        expect(matches(escaped, path)).toBe(true);
        expect(matches(escaped, `${path}x`)).toBe(false);
      }),
    );
  });

  it('are taken or refused with a position within them, and never anything else', () => {
    const text = fc.string({ unit: fc.constantFrom('/', 'a', '*', '?', '[', ']', '{', '}', ',', '\\', '-', '!', '.') });
    fc.assert(
      fc.property(text, (source) => {
        try {
          matches(`/x${source}`, '/xa');
        } catch (error) {
          if (!(error instanceof FaultlineError)) throw error;
          const position = Number(error.details?.['position']);
          expect(position).toBeGreaterThanOrEqual(1);
          expect(position).toBeLessThanOrEqual(source.length + 2);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
