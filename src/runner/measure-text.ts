import type { Json } from '../base/json.ts';
import { formatDuration } from '../base/duration.ts';
import { formatSize, parseSize } from '../base/size.ts';
import { printable } from '../base/text.ts';
import type { Measure } from './measures.ts';

/** Longer texts are cut. */
const mostShown = 80;

/** With at most so many digits after the point, and none that say nothing. */
const digits = (value: number, most: number): string => String(Number(value.toFixed(most)));

/** Finer than other durations are shown, so that 250.4 ms does not look like the 250 ms that were allowed. */
function timeText(ms: number): string {
  if (ms < 0) return `-${timeText(-ms)}`;
  if (ms === 0) return '0 ms';
  if (ms < 1) return `${digits(ms * 1000, 0)} µs`;
  if (ms < 1000) return `${digits(ms, ms < 10 ? 2 : 1)} ms`;
  return ms < 60_000 ? `${digits(ms / 1000, 2)} s` : formatDuration(ms);
}

/** Never rounded up to all, nor down to nothing: 99.999% is not 100%. */
function percentText(percent: number): string {
  const hundredths = percent * 100;
  const shown = percent < 50 ? Math.ceil(hundredths - 1e-6) : Math.floor(hundredths + 1e-6);
  return `${digits(shown / 100, 2)}%`;
}

function sizeText(bytes: number): string {
  const short = formatSize(bytes);
  return bytes < 0 || bytes >= 1e6 || parseSize(short, '') === bytes ? short : `${digits(bytes, 0)} B`;
}

function numberText(value: number, unit: Measure['unit']): string {
  switch (unit) {
    case 'ms':
      return timeText(value);
    case '%':
      return percentText(value);
    case 'bytes':
      return sizeText(value);
    case '/s':
      return `${digits(value, 2)}/s`;
    case '':
      return digits(value, 3);
  }
}

/** A measured value for people: `250.4 ms`, `99.9%`, `10 MiB`, `100/s`, `2`, `"a text"`. */
export function measureText(value: Json, unit: Measure['unit']): string {
  if (typeof value === 'number') return numberText(value, unit);
  if (value === null) return 'nothing';
  const text = JSON.stringify(value);
  // Cut between characters, and so that a text still ends with its quotation mark.
  const short = text.length > mostShown ? `${Array.from(text).slice(0, mostShown).join('')}…` : text;
  return printable(typeof value === 'string' && short !== text ? `${short}"` : short);
}
