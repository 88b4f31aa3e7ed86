/*
 * The page's only script: it reads values off the curves where the pointer is, or the arrow keys have gone. Without it
 * nothing is missing. It is text here, so it is plain JavaScript of 2020, and small.
 */
export const readOutScript = `(() => {
  'use strict';
  const tracks = document.querySelector('.tracks');
  const cursor = tracks?.querySelector('.cursor');
  const number = (text) => text === '' ? null : Number(text);
  const curves = [...(tracks?.querySelectorAll('[data-points]') ?? [])].map((plot) => ({
    unit: plot.dataset.unit,
    points: plot.dataset.points.split(';').map((pair) => pair.split(' ').map(number)),
    output: plot.closest('.track').querySelector('output'),
  }));
  const stage = tracks?.querySelector('.stage');
  if (!cursor || !stage) return;
  const endMs = Number(tracks.dataset.end);
  const short = (value) => String(Number(Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(4)));
  const duration = (ms) => {
    if (ms < 1000) return (ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)) + ' ms';
    if (ms < 60000) return Math.round(ms / 100) / 10 + ' s';
    const s = Math.round(ms / 1000);
    const parts = [[Math.floor(s / 3600), 'h'], [Math.floor(s / 60) % 60, 'm'], [s % 60, 's']];
    return parts.filter(([amount]) => amount > 0).map((part) => part.join('')).join('');
  };
  const size = (bytes) => {
    const power = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
    return Math.round(bytes / 1024 ** power * 10) / 10 + ' ' + ['B', 'KiB', 'MiB', 'GiB', 'TiB'][power];
  };
  const told = (value, unit) => {
    if (value === null || value === undefined) return 'nothing';
    if (unit === 'ms') return duration(value);
    if (unit === 'bytes') return size(value);
    return short(value) + (['%', '/s', ''].includes(unit) ? unit : ' ' + unit);
  };
  const nearest = (points, ms) =>
    points.reduce((best, point) => Math.abs(point[0] - ms) < Math.abs(best[0] - ms) ? point : best);
  let at = 0;
  const show = (ms) => {
    at = Math.min(endMs, Math.max(0, ms));
    const box = stage.getBoundingClientRect();
    cursor.hidden = false;
    cursor.style.left = box.left - tracks.getBoundingClientRect().left + box.width * at / endMs + 'px';
    cursor.classList.toggle('late', at > endMs * 0.85);
    cursor.firstChild.textContent = '+' + duration(at);
    for (const { unit, points, output } of curves) output.textContent = told(nearest(points, at)[1], unit);
  };
  const hide = () => {
    cursor.hidden = true;
    for (const { output } of curves) output.textContent = '';
  };
  const follow = (event) => {
    const box = stage.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    if (share < 0 || share > 1) hide();
    else show(share * endMs);
  };
  tracks.addEventListener('pointermove', follow);
  tracks.addEventListener('pointerdown', follow);
  tracks.addEventListener('pointerleave', hide);
  tracks.addEventListener('blur', hide);
  tracks.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (event.key === 'Escape') hide();
    if (step === undefined) return;
    event.preventDefault();
    show(at + step * endMs / 200);
  });
})();`;
