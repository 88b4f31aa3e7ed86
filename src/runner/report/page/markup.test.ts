import { describe, expect, test } from 'vitest';
import { hostileTexts } from '../test-support/hard-runs.ts';
import { documentText, type Markup, markup, preformatted } from './markup.ts';

const text = (content: string | Markup): string => documentText(markup`<b title="${content}">${content}</b>`);

describe('texts in markup', () => {
  test.each(hostileTexts.map((one) => [one] as const))('%j is only text', (hostile) => {
    const page = text(hostile);
    expect(page.match(/[<>]/gu)).toHaveLength(4);
    expect(page.match(/"/gu)).toHaveLength(2);
    expect(page).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\ufffe\uffff]/u);
  });

  test('what is markup already stays', () => {
    expect(documentText(markup`<p>${[markup`<i>${'a & b'}</i>`, undefined, 7, ' <']}</p>`)).toBe(
      '<p><i>a &amp; b</i>7 &lt;</p>',
    );
  });

  test('nothing that came as JSON passes for markup', () => {
    const forged = JSON.parse('{"markup":"<script>","Symbol(markup)":"<script>"}') as Markup;
    expect(() => text(forged)).toThrow(TypeError);
  });

  test('lines and tabs of a file stay, and nothing else that acts', () => {
    expect(documentText(preformatted('a:\r\n\t<b>\u001b[0m\n'))).toBe('a:\n\t&lt;b&gt;\\x1b[0m\n');
  });
});
