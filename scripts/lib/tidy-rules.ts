import path from 'node:path';

/** What a rule may ask about other files; all names are relative to the root. */
export interface Repository {
  readonly exists: (file: string) => boolean;
  readonly isFolder: (file: string) => boolean;
  readonly read: (file: string) => string;
}

export interface Subject {
  readonly file: string;
  readonly text: string;
  readonly repository: Repository;
}

/** Says what is wrong, a line each, beginning with `file:line:`. */
type Rule = (subject: Subject) => readonly string[];

const maxLineLength = 120;

/** Files whose business it is to hold what these rules look for. */
const holdsExamples = new Set(['scripts/lib/tidy-rules.ts', 'scripts/lib/tidy-rules.test.ts']);

const linesAreShort: Rule = ({ file, text }) =>
  // Prose is not broken into lines by a tool, and what others have written is theirs.
  file.endsWith('.md') || file.endsWith('.json')
    ? []
    : eachLine(text, (line) => (line.length > maxLineLength ? `${line.length} characters` : undefined), file);

const nothingIsLeftToDo: Rule = ({ file, text }) =>
  eachLine(text, (line) => found(/\b(?:TODO|FIXME|XXX)\b/u, line, 'is left to do'), file);

const noPathsOfSomebodysMachine: Rule = ({ file, text }) =>
  eachLine(
    text,
    (line) =>
      found(
        /(?<![\w.-])\/(?:work|workspace|Users)\/[\w.-]+|(?<![\w/-])\.\.\/(?:\.\.\/)*shared\/[a-z]+/u,
        line,
        'is a place that only its author has',
      ),
    file,
  );

const onlyTheCommandLinePrints: Rule = ({ file, text }) =>
  isShipped(file) && !file.startsWith('src/cli/')
    ? eachLine(
        withoutComments(text),
        (line) =>
          found(/\bprocess\.stdout\b|\bconsole\.\w+|\bwriteSync\(1,|'\/dev\/stdout'/u, line, 'is for src/cli alone'),
        file,
      )
    : [];

const noShell: Rule = ({ file, text }) =>
  file.endsWith('.ts') || file.endsWith('.mjs')
    ? eachLine(
        withoutComments(text),
        (line) =>
          found(/\bshell:\s*(?:true\b|process\.\S+|(['"`]).*?\1)/u, line, 'would hand a shell a string that we built'),
        file,
      )
    : [];

/** `x.test.ts` tests `x.ts`, and so may `x.aspect.test.ts`. */
const testsHaveASubject: Rule = ({ file, repository }) => {
  const [stem = '', ...aspects] = path.posix.basename(file).split('.');
  if (!/^(?:src|scripts)\/.*\.test\.ts$/u.test(file) || aspects.length > 3) return [];
  const subject = path.posix.join(path.posix.dirname(file), `${stem}.ts`);
  return repository.exists(subject) ? [] : [`${file}:1: tests nothing: there is no ${subject}`];
};

const linksLeadSomewhere: Rule = ({ file, text, repository }) =>
  file.endsWith('.md') ? eachLine(withoutFences(text), (line) => deadLinks(line, file, text, repository), file) : [];

/** Files that comments and pages name, from the root or from beside the file that names them. */
const namedFilesExist: Rule = ({ file, text, repository }) => {
  // The targets of links have a rule of their own.
  const page = file.endsWith('.md') ? withoutFences(text).replaceAll(/\]\([^()\s]+\)/gu, blank) : '';
  const prose = file.endsWith('.ts') ? onlyComments(text) : page;
  return eachLine(
    prose,
    (line) => {
      const dead = [...withoutUrls(line).matchAll(/(?<![\w./<*-])(?:[\w@.-]+\/)+[\w@.-]+\.(?:ts|md|mjs)\b/gu)]
        .map(([name]) => name)
        .filter((name) => !repository.exists(name) && !repository.exists(beside(file, name)));
      return dead.length > 0 ? `names ${dead.join(', ')}, which is not there` : undefined;
    },
    file,
  );
};

export const rules: readonly Rule[] = [
  linesAreShort,
  nothingIsLeftToDo,
  noPathsOfSomebodysMachine,
  onlyTheCommandLinePrints,
  noShell,
  testsHaveASubject,
  linksLeadSomewhere,
  namedFilesExist,
].map(
  (rule): Rule =>
    (subject) =>
      holdsExamples.has(subject.file) ? [] : rule(subject),
);

function isShipped(file: string): boolean {
  return file.startsWith('src/') && !file.endsWith('.test.ts') && !file.includes('/test-support/');
}

function eachLine(text: string, judge: (line: string) => string | undefined, file: string): readonly string[] {
  return text
    .split('\n')
    .map((line, index) => ({ problem: judge(line), number: index + 1 }))
    .filter(({ problem }) => problem !== undefined)
    .map(({ problem, number }) => `${file}:${number}: ${problem}`);
}

function found(pattern: RegExp, line: string, verdict: string): string | undefined {
  const match = pattern.exec(line)?.[0];
  return match === undefined ? undefined : `${match.trim()} ${verdict}`;
}

function deadLinks(line: string, file: string, text: string, repository: Repository): string | undefined {
  const dead = [...line.matchAll(/\]\(([^()\s]+)\)/gu)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/u.test(target) && !leadsSomewhere(target, file, text, repository));
  return dead.length > 0 ? `links to ${dead.join(', ')}, which is not there` : undefined;
}

function leadsSomewhere(target: string, file: string, text: string, repository: Repository): boolean {
  const [name = '', anchor] = target.split('#');
  const there = name === '' ? file : beside(file, decodeURIComponent(name));
  if (there.startsWith('..') || !repository.exists(there)) return false;
  if (anchor === undefined || repository.isFolder(there) || !there.endsWith('.md')) return true;
  return anchorsOf(there === file ? text : repository.read(there)).has(anchor);
}

/** The names that GitHub gives to the headings of a page. */
function anchorsOf(page: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutFences(page).matchAll(/^#{1,6} +(.+?) *$/gmu)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let repeated = 1; anchors.has(anchor); repeated += 1) {
      anchor = `${slug}-${repeated}`;
    }
    anchors.add(anchor);
  }
  return anchors;
}

function beside(file: string, name: string): string {
  return path.posix.normalize(path.posix.join(path.posix.dirname(file), name));
}

function withoutUrls(line: string): string {
  return line.replaceAll(/\b[a-z]+:\/\/\S+/gu, '');
}

/** Blanks what stands in code fences, and keeps the numbers of the lines. */
function withoutFences(page: string): string {
  return page.replaceAll(/^ *(```|~~~).*?^ *\1/gmsu, blank);
}

const comments = /\/\*.*?\*\/|(?<=^|\s)\/\/[^\n]*/gsu;

function withoutComments(code: string): string {
  return code.replaceAll(comments, blank);
}

function onlyComments(code: string): string {
  let after = 0;
  let kept = '';
  for (const match of code.matchAll(comments)) {
    kept += blank(code.slice(after, match.index)) + match[0];
    after = match.index + match[0].length;
  }
  return kept;
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/gu, ' ');
}
