import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type { RunDocument } from '../runner/result.ts';
import type { Invocation } from './invocation.ts';
import { sayDocument } from './output/format.ts';
import { isWatched, remark, write } from './output/style.ts';

export interface ReportRequest {
  /** uid of a run; absent: the newest. */
  readonly run: string | undefined;
  /** As given to `--output`: a format, a file, or both. */
  readonly output: readonly string[];
  /** A file with the document of a run. */
  readonly from: string | undefined;
}

const formats = ['html', 'md', 'junit', 'json'] as const;
type ReportFormat = (typeof formats)[number];

const ofExtensions: Readonly<Record<string, ReportFormat>> = {
  '.html': 'html',
  '.htm': 'html',
  '.md': 'md',
  '.markdown': 'md',
  '.xml': 'junit',
  '.json': 'json',
};

/** What completion offers for `--output`. */
export const reportFormats: readonly string[] = formats;

interface Destination {
  readonly format: ReportFormat;
  /** Absent: the standard output. */
  readonly file: string | undefined;
}

const isFormat = (word: string): word is ReportFormat => reportFormats.includes(word);

/** @throws {FaultlineError} ARGUMENT_INVALID */
function destinationOf(output: readonly string[]): Destination {
  const [format, ...moreFormats] = output.filter(isFormat);
  const [file, ...moreFiles] = output.filter((word) => !isFormat(word));
  if (moreFormats.length + moreFiles.length > 0) {
    throw new FaultlineError('ARGUMENT_INVALID', 'one report at a time', { hint: 'give one format and one file' });
  }
  if (file === undefined) return { format: format ?? 'html', file };
  const meant = format ?? ofExtensions[path.extname(file).toLowerCase()];
  if (meant !== undefined) return { format: meant, file };
  throw new FaultlineError('ARGUMENT_INVALID', `"${printable(file)}" is no format, and no file that tells one`, {
    hint: `write -o ${formats.join(', -o ')}, or a file that ends in .html, .md, .xml or .json`,
  });
}

async function runFrom(invocation: Invocation, { run, from }: ReportRequest): Promise<RunDocument> {
  if (from !== undefined) {
    if (run !== undefined) {
      throw new FaultlineError('ARGUMENT_INVALID', 'a run comes from the journal or from a file, not from both', {
        hint: 'leave out the uid or --from',
      });
    }
    const [{ nameOf, readTextFile }, { parseRun }] = await Promise.all([
      import('./objects/text-file.ts'),
      import('../runner/report/parse-run.ts'),
    ]);
    return parseRun(await readTextFile(from), nameOf(from));
  }
  const [{ withEngine }, { refuseService }, { pastRun }] = await Promise.all([
    import('./engine-session.ts'),
    import('./operations-session.ts'),
    import('../runner/past-run.ts'),
  ]);
  refuseService(invocation, 'report');
  return withEngine(invocation, { via: 'cli', supervise: true }, (engine) => Promise.resolve(pastRun(engine, run)));
}

async function rendered(run: RunDocument, format: Exclude<ReportFormat, 'json'>): Promise<string> {
  switch (format) {
    case 'html':
      return (await import('../runner/report/html.ts')).htmlReport(run);
    case 'md':
      return (await import('../runner/report/markdown.ts')).markdownReport(run);
    case 'junit':
      return (await import('../runner/report/junit.ts')).junitReport(run);
  }
}

function save(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new FaultlineError('ARGUMENT_INVALID', `"${printable(file)}" cannot be written`, {
      hint: error instanceof Error ? error.message : String(error),
      cause: error,
    });
  }
  remark(`Written: ${printable(file)}`);
}

/**
 * Write the report of a run where the flags say.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, RUN_NOT_FOUND, and what opening the state folder may throw
 */
export async function writeReport(invocation: Invocation, request: ReportRequest): Promise<void> {
  const { format, file } = destinationOf(request.output);
  if (format === 'html' && file === undefined && isWatched('stdout')) {
    throw new FaultlineError('ARGUMENT_INVALID', 'a page of HTML says little on a terminal', {
      hint: 'write it to a file: -o report.html; or read it here: -o md',
    });
  }
  const run = await runFrom(invocation, request);
  if (format !== 'json') {
    const text = await rendered(run, format);
    if (file === undefined) write('stdout', text);
    else save(file, text);
  } else if (file === undefined) {
    const { toJson } = await import('../base/json.ts');
    await sayDocument(toJson(run), 'json');
  } else save(file, `${JSON.stringify(run, null, 2)}\n`);
}
