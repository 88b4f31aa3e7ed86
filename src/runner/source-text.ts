import { formatDuration } from '../base/duration.ts';
import { printable } from '../base/text.ts';
import type { HttpSource, ProbeSource } from './experiment.ts';

function rateText({ rate }: HttpSource): string {
  return rate >= 1 ? `${Number(rate.toFixed(2))} a second` : `one every ${formatDuration(1000 / rate)}`;
}

function targetText(source: Exclude<ProbeSource, HttpSource>): string {
  switch (source.kind) {
    case 'tcp':
      return `${source.host.includes(':') ? `[${source.host}]` : source.host}:${source.port}`;
    case 'command':
      return source.argv.join(' ');
    case 'process':
      return /^\d+$/u.test(source.process) ? `process ${source.process}` : `processes named ${source.process}`;
    case 'log':
      return `lines of ${source.path} that match /${source.pattern}/`;
    case 'prometheus':
      return `${source.query} at ${source.url}`;
    case 'file':
      return source.path;
  }
}

/** What a probe looks at, and how often, for people: `GET http://127.0.0.1:8080/, 100 a second`. */
export function sourceText(source: ProbeSource): string {
  if (source.kind === 'http') return printable(`${source.method} ${source.url}, ${rateText(source)}`);
  return printable(`${targetText(source)}, every ${formatDuration(source.everyMs)}`);
}
