import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { htmlReport } from './html.ts';
import { emptyRun, hostileRun, hourRun } from './test-support/hard-runs.ts';
import { heldRun } from './test-support/held-run.ts';
import { runs } from './test-support/runs.ts';

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

function between(page: string, start: string, end: string): string {
  const from = page.indexOf(start) + start.length;
  return page.slice(from, page.indexOf(end, from));
}

describe.each(Object.entries(runs))('the page of a run: %s', (_name, run) => {
  const page = htmlReport(run());

  test('needs nothing but itself', () => {
    const links = [...page.matchAll(/\s(?:src|href|action|data|poster|srcset)="([^"]*)"/gu)].map(([, link]) => link);
    expect(links.filter((link) => !link?.startsWith('#') && link !== 'data:,')).toEqual([]);
    expect(page).not.toMatch(/@import|url\((?!#)/u);
  });

  test('lets nothing run but its own script, and no style but its own', () => {
    const policy = between(page, 'Content-Security-Policy" content="', '"');
    expect(policy).toContain(`script-src ${hash(between(page, '<script>', '</script>'))};`);
    expect(policy).toContain(`style-src ${hash(between(page, '<style>', '</style>'))};`);
    expect(policy).toMatch(/^default-src 'none';/u);
    expect(page.match(/<script/gu)).toHaveLength(1);
    // The policy would forbid them, and the browser complain.
    expect(page.replaceAll(/"[^"]*"/gu, '""')).not.toMatch(/<[^>]*\s(?:style|on[a-z]+)=/u);
  });

  test('is the same every time', () => {
    expect(htmlReport(run())).toBe(page);
  });
});

test('untrusted text is only text', () => {
  const page = htmlReport(hostileRun());
  expect(page).not.toContain('<script>document');
  expect(page).not.toContain('<img');
  expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/u);
  expect(page).toContain('&lt;script&gt;document.title=&quot;owned&quot;&lt;/script&gt;');
});

test('an hour with ten probes of two curves is below 1 MB', () => {
  expect(Buffer.byteLength(htmlReport(hourRun()))).toBeLessThan(1_000_000);
});

test('the verdict comes first, in words', () => {
  const page = htmlReport(heldRun());
  const main = page
    .slice(page.indexOf('<main>'))
    .replaceAll(/<svg.*?<\/svg>/gsu, '')
    .replaceAll(/<[^>]*>/gu, ' ');
  expect(main.replaceAll(/\s+/gu, ' ').trim()).toMatch(
    /^Faultline kill-under-get Held Every probe stayed within its tolerance, and .* Hypothesis While one of two/u,
  );
  expect(htmlReport(emptyRun())).toContain('Unfinished');
});
