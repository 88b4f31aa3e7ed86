import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { htmlReport } from '../../src/runner/report/html.ts';
import { junitReport } from '../../src/runner/report/junit.ts';
import { runs } from '../../src/runner/report/test-support/runs.ts';
import { type Chromium, chromiumProgram, type Page, startChromium, type View } from './chromium.ts';
import { lowContrasts, overlaps, overflows } from './looks.ts';

if (chromiumProgram === undefined) {
  console.warn(
    '!!! SKIPPED: reports in a browser, because there is no Chromium: install it, or set FAULTLINE_CHROMIUM',
  );
}

const views: readonly (readonly [string, View])[] = [
  ['a desk, light', { width: 1440, theme: 'light' }],
  ['a desk, dark', { width: 1440, theme: 'dark' }],
  ['a phone, light', { width: 390, height: 844, theme: 'light' }],
  ['a phone, dark', { width: 390, height: 844, theme: 'dark' }],
];

describe.skipIf(chromiumProgram === undefined)('reports in a real browser', () => {
  let chromium: Chromium;
  let folder: string;
  const open = (name: string, view: View): Promise<Page> =>
    chromium.open(pathToFileURL(path.join(folder, `${name}.html`)).href, view);

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'faultline-report.'));
    for (const [name, run] of Object.entries(runs)) {
      writeFileSync(path.join(folder, `${name}.html`), htmlReport(run()));
      writeFileSync(path.join(folder, `${name}.xml`), junitReport(run()));
    }
    chromium = startChromium(chromiumProgram ?? '');
  });
  afterAll(async () => {
    await chromium.close();
    rmSync(folder, { recursive: true, force: true });
  });

  describe.each(views)('%s', (_where, view) => {
    test.each(Object.keys(runs))('%s: readable, in its width, and silent', async (name) => {
      const page = await open(name, view);
      expect(await page.evaluate(overflows)).toEqual([]);
      expect(await page.evaluate(lowContrasts)).toEqual([]);
      expect(await page.evaluate(overlaps)).toEqual([]);
      expect(await page.evaluate('document.title')).not.toBe('owned');
      expect(await page.evaluate('document.scripts.length')).toBe(1);
      expect(page.complaints).toEqual([]);
      expect(page.requests.filter((url) => !url.startsWith('data:'))).toEqual([]);
      await page.close();
    });
  });

  test('complaints, overflows and pale text are seen at all', async () => {
    const bad = `<!doctype html><body style="margin:0"><main><p style="color:#bbb;background:#fff">pale</p>
      <p style="width:3000px">wide</p></main><script>console.log('said');
      fetch('http://127.0.0.1:9/').catch(() => 0)</script>`;
    writeFileSync(path.join(folder, 'bad.html'), bad);
    const page = await open('bad', { width: 390 });
    expect(await page.evaluate(overflows)).not.toEqual([]);
    expect(await page.evaluate(lowContrasts)).not.toEqual([]);
    expect(page.complaints).not.toEqual([]);
    expect(page.requests).toEqual(['http://127.0.0.1:9/']);
    await page.close();
  });

  test.each(['deviated', 'hour', 'empty'])('%s is printed on A4, with every curve whole', async (name) => {
    const page = await open(name, { width: 1440, theme: 'dark' });
    const { data } = await page.send('Page.printToPDF', { preferCSSPageSize: true, printBackground: true });
    const pdf = Buffer.from(String(data), 'base64').toString('latin1');
    expect(pdf).toMatch(/^%PDF-/u);
    expect(pdf.match(/\/Type\s*\/Page\b/gu)?.length).toBeGreaterThan(0);
    expect(pdf).toMatch(/\/MediaBox\s*\[0 0 59[45][.\d]* 84[12][.\d]*\]/u);
    await page.send('Emulation.setEmulatedMedia', { media: 'print' });
    // On paper it is light, whatever the reader's screen is.
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    expect(
      await page.evaluate(
        `[...document.querySelectorAll('.track')].every((one) => getComputedStyle(one).breakInside === 'avoid')`,
      ),
    ).toBe(true);
    await page.close();
  });

  test('values are read off where the mouse is, and with the arrow keys', async () => {
    const page = await open('deviated', { width: 1440, height: 1200 });
    const [left, top, width] = (await page.evaluate(`(() => {
      const box = document.querySelector('.plot').getBoundingClientRect();
      return [box.left, box.top, box.width];
    })()`)) as [number, number, number];
    const move = (share: number): Promise<unknown> =>
      page.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x: left + width * share, y: top + 30 });
    const read = async (): Promise<unknown> =>
      page.evaluate(`[...document.querySelectorAll('output')].map((one) => one.textContent)`);
    const moment = (): Promise<unknown> => page.evaluate(`document.querySelector('.cursor').textContent`);

    expect(await read()).toEqual(['', '', '']);
    await move(5.15 / 18.3);
    const [p99, success, count] = (await read()) as string[];
    expect(await moment()).toMatch(/^\+5\.[12] s$/u);
    expect(p99).toMatch(/^1\d\d ms$/u);
    expect(success).toMatch(/^9\d\.\d+%$/u);
    expect(count).toBe('2');
    await page.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x: 5, y: 5 });
    expect(await read()).toEqual(['', '', '']);

    await page.evaluate(`document.querySelector('.tracks').focus()`);
    await page.send('Input.dispatchKeyEvent', { type: 'keyDown', key: 'PageDown', code: 'PageDown' });
    expect(await moment()).not.toBe('');
    expect((await read()) as string[]).not.toContain('');
    await page.close();
  });

  test('without scripts nothing is missing', async () => {
    const page = await chromium.open('about:blank', { width: 1440 });
    await page.send('Emulation.setScriptExecutionDisabled', { value: true });
    await page.send('Page.navigate', { url: pathToFileURL(path.join(folder, 'deviated.html')).href });
    // That it has begun to load is all that the answer means.
    await vi.waitFor(
      async () => {
        const { root } = (await page.send('DOM.getDocument', { depth: -1 })) as { root: object };
        const text = JSON.stringify(root);
        for (const said of ['94.1%', 'kill one server', 'fizzbuzz-api SIGKILL', 'How to reproduce']) {
          expect(text).toContain(said);
        }
      },
      { timeout: 60_000, interval: 200 },
    );
    await page.close();
  });

  test.each(Object.keys(runs))("%s: the browser's parser takes its JUnit XML", async (name) => {
    const page = await chromium.open(pathToFileURL(path.join(folder, 'held.html')).href, { width: 1440 });
    const xml = JSON.stringify(readFileSync(path.join(folder, `${name}.xml`), 'utf8'));
    const root = await page.evaluate(`(() => {
      const read = new DOMParser().parseFromString(${xml}, 'text/xml');
      return [read.documentElement.nodeName, read.querySelectorAll('parsererror').length];
    })()`);
    expect(root).toEqual(['testsuites', 0]);
    await page.close();
  });
});
