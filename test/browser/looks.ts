/*
 * What a person would see at a glance, asked of the page by programs that run in it. Each tells what is wrong; nothing
 * is an empty list.
 */

/** What reaches beyond the right edge, so that a page must be pushed around to be read. */
export const overflows = `(() => {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  return [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => one.tagName + ' ' + one.textContent.slice(0, 40));
})()`;

/**
 * Text whose contrast to what is behind it is below 4.5:1 (WCAG 2.2, 1.4.3). Behind text in a drawing is taken for the
 * page, since its bands are faint.
 */
export const lowContrasts = `(() => {
  const channel = (value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (let one = element; one !== null; one = one.parentElement) {
      const color = parse(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const hasText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim() !== '');
  return [...document.querySelectorAll('main *, footer')]
    .filter((element) => hasText(element) && element.getClientRects().length > 0 && element.tagName !== 'title')
    .map((element) => {
      const style = getComputedStyle(element);
      const color = parse(element instanceof SVGElement ? style.fill : style.color);
      const [a, b] = [light(color), light(behind(element))].sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), element.tagName + ' ' + element.textContent.slice(0, 40)];
    })
    .filter(([contrast]) => contrast < 4.5)
    .map(([contrast, what]) => contrast.toFixed(2) + ' ' + what);
})()`;

/** Labels above the curves that lie on each other. */
export const overlaps = `(() => {
  const labels = [...document.querySelectorAll('.faults text, .deaths text, .phases text')]
    .map((one) => [one.textContent, one.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0);
  return labels.flatMap(([text, a], index) => labels.slice(index + 1)
    .filter(([, b]) => a.left < b.right && b.left < a.right && a.top < b.bottom - 2 && b.top < a.bottom - 2)
    .map(([other]) => text + ' / ' + other));
})()`;
