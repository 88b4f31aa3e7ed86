import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { errorCodes } from '../../src/base/error-codes.ts';
import { filesUnder, root } from '../../scripts/lib/tree.ts';
import { tempFolder } from '../support/cli.ts';
import { codeBlocksOf, sessionsOf, type ShownSession } from '../support/console-blocks.ts';
import { runSession } from '../support/doc-session.ts';
import { cannotInject } from './io/lab.ts';

/*
 * The documentation is run: every block marked `console`, in every page, on the built commands. Purpose: that nobody
 * who follows a page word for word meets something else than it says. Not covered: what blocks of other languages
 * show, but for listings of our own files.
 */

const pages = [...filesUnder('docs', '.md'), ...filesUnder('', '.md').filter((file) => !file.includes('/'))];
const isThere = (name: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(path.join(folder, name)));

/** What pages use beside bash and coreutils, and the check itself. */
const missing = ['script', 'mkfifo', 'pgrep', 'awk'].filter((name) => !isThere(name));
if (missing.length > 0) console.warn(`SKIPPED: what the documentation shows, for lack of ${missing.join(', ')}`);

/** What only some pages use. */
const rare = ['curl', 'openssl'].filter((name) => !isThere(name));

function lacks({ commands }: ShownSession): readonly string[] {
  return rare.filter((name) => commands.some(({ command }) => command.split(/[\s(]/u).includes(name)));
}

const textOf = (page: string): string => readFileSync(path.join(root, page), 'utf8');

describe.each(pages)('%s', (page) => {
  const text = textOf(page);
  const sessions = sessionsOf(page, text);

  test.skipIf(missing.length > 0).for(sessions)('$heading', { timeout: 600_000 }, async (session, { skip }) => {
    const lacking = lacks(session);
    if (session.needsIo && cannotInject !== undefined) skip(cannotInject); // that it is, is said where it is found out
    if (lacking.length > 0) {
      console.warn(`SKIPPED: ${page}, "${session.heading}", for lack of ${lacking.join(', ')}`);
      skip(`for lack of ${lacking.join(', ')}`);
    }
    await runSession(session);
  });

  test('a command of ours is shown only where it is run, but for synopses, <gaps>, and pipes to elsewhere', () => {
    const idle = codeBlocksOf(page, text)
      .filter(({ language }) => language !== 'text')
      .flatMap(({ text: code, line }) => code.split('\n').map((one) => `${page}, block in line ${line}: ${one}`))
      .filter((one) => /: (?:\$ )?(?:npx )?(?:faultline|chaosd) [^<|>]*$/u.test(one));
    expect(idle).toEqual([]);
  });

  test('listings of our files say what the files say', () => {
    const wrong = codeBlocksOf(page, text).filter(({ comment, text: code }) => {
      const [, file] = /^(?:file|whole): (.+)$/u.exec(comment) ?? [];
      return file !== undefined && !textOf(file).includes(code);
    });
    expect(wrong).toEqual([]);
  });

  test('what is said to be the whole of a file is all of it', () => {
    const parts = codeBlocksOf(page, text).filter(({ comment }) => comment.startsWith('whole: '));
    for (const whole of new Set(parts.map(({ comment }) => comment))) {
      const shown = parts.filter(({ comment }) => comment === whole).map(({ text: code }) => code);
      expect(`${shown.join('\n\n')}\n`, whole).toBe(textOf(whole.slice('whole: '.length)));
    }
  });
});

describe.skipIf(missing.length > 0)('the check itself', () => {
  const page = (lines: readonly string[], comment = '<!-- start: fl-web -->'): ShownSession => {
    const [session] = sessionsOf('page.md', ['# Page', comment, '```console', ...lines, '```'].join('\n'));
    if (session === undefined) throw new Error('no session');
    return session;
  };
  const stop = [
    '$ faultline attack process stop -p fl-web',
    '  confirmed     pid 4123 (fl-web): stopped (state T) after 210 µs',
    'Attack process fl-web successfully, uid: 9cb6b3be-4f5b-4ecb-ae05-51050fcd0010',
  ];

  test('passes what is right: other uids, PIDs and times, and the page’s own in later commands', async () => {
    const recover = [
      '$ faultline recover 9cb6b3be-4f5b-4ecb-ae05-51050fcd0010',
      '  confirmed  pid 4123 (fl-web): …',
      '…',
    ];
    await runSession(page([...stop, ...recover, '$ false', '$ echo $?', '1']));
  });

  test.each([
    ['a wrong word', ['$ echo right', 'wrong'], /another one[^]*\nwrong\n[^]*\nright/u],
    ['a missing line', ['$ echo one; echo two', 'one'], /another one/u],
    ['a line too many', ['$ echo one', 'one', 'two'], /another one/u],
    ['a failure that is not told', ['$ false'], /exit code 1/u],
    [
      'another uid than before',
      [...stop, `$ echo ${stop[2]?.slice(-36)} | tr 0123456789abcdef 123456789abcdef0`, `${stop[2]?.slice(-36)}`],
      /another one/u,
    ],
    ['another PID than before', [...stop, '$ echo pid 1', 'pid 4123'], /another one/u],
  ])('finds %s', async (_what, lines, message) => {
    await expect(runSession(page(lines))).rejects.toThrow(message);
  });

  test('runs the service that a page shows or wants, and the next one in its place', async () => {
    const text = [
      '# Page',
      '<!-- service -->',
      '```console',
      '$ faultline server --log-level error',
      'listening on http://127.0.0.1:31767',
      '```',
      '```console',
      '$ faultline server',
      'Error: process … is the service of /var/lib/faultline already, on http://127.0.0.1:31767 [SERVER_RUNNING]',
      'Hint: …',
      '$ echo $?',
      '1',
      '$ (umask 077; echo a-token-of-this-page > token)',
      '```',
      '<!-- service: --token-file token -->',
      '```console',
      '$ faultline halt --status --server http://127.0.0.1:31767',
      'Error: this service needs a token [UNAUTHENTICATED]',
      'Hint: …',
      '$ echo $?',
      '1',
      '```',
    ];
    const [session] = sessionsOf('page.md', text.join('\n'));
    if (session === undefined) throw new Error('no session');
    await runSession(session);
  });

  test('finds a service that does not start', async () => {
    const refused = page(['$ faultline server --host 0.0.0.0', 'Error: …', 'Hint: …'], '<!-- service -->');
    await expect(runSession(refused)).rejects.toThrow(/exit code 1/u);
  });

  test.each(['nginx', '1', '"$(pidof nginx)"'])('refuses to attack %s, which may be a stranger', async (target) => {
    await expect(runSession(page([`$ faultline attack process kill -p ${target}`]))).rejects.toThrow(/may hit/u);
  });

  test.each(['{"kind":"process","process":"nginx"}', '{"kind":"process","user":"root"}', '@body.json'])(
    'refuses to send %s, by which a stranger may be hit',
    async (body) => {
      const command = `$ curl 127.0.0.1:31767/api/v1/injections -d '${body}'`.replace("'@body.json'", '@body.json');
      await expect(runSession(page([command]))).rejects.toThrow(/may hit/u);
    },
  );
});

test('npx runs the command of the clone, as the README says', async () => {
  const env = { ...process.env, HOME: tempFolder(), npm_config_update_notifier: 'false' };
  const { stdout } = await promisify(execFile)('npx', ['faultline', 'version'], { cwd: root, env, timeout: 120_000 });
  expect(stdout).toMatch(/^Faultline \d/u);
});

test('the page of errors has every code with its exit code and its status, and no other', () => {
  const rows = [...textOf('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \| (\d+) \| (\d+) \| \S/gmu)];
  const shown = Object.fromEntries(
    rows.map(([, code = '', exit, http]) => [code, { http: Number(http), exit: Number(exit) }]),
  );
  expect(shown).toEqual(errorCodes);
});

test('every page of the documentation is linked from the README or from a page that is', () => {
  const found = new Set(['README.md']);
  for (const page of found) {
    for (const [, target = ''] of textOf(page).matchAll(/\]\(([^()#\s]+\.md)/gu)) {
      const linked = path.posix.join(path.posix.dirname(page), target);
      if (existsSync(path.join(root, linked))) found.add(linked);
    }
  }
  expect(pages.filter((page) => !found.has(page))).toEqual([]);
});
