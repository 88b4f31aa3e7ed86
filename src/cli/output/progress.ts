import { textOf } from '../../base/json.ts';
import { formatDuration } from '../../base/duration.ts';
import { printable } from '../../base/text.ts';
import type { EngineEvent, Observer } from '../../experiment/events.ts';
import { beforeWriting, isWatched } from './style.ts';

/** Whatever takes longer than this is worth a word, in milliseconds. */
const patienceMs = 1_000;

export interface Progress {
  readonly observe: Observer;
  stop(): void;
}

interface Spinner {
  text: string;
  start(): Spinner;
  stop(): Spinner;
}

function wordsFor(event: EngineEvent): string | undefined {
  const { message, done, total, reason } = event.data;
  if (event.type === 'progress') {
    const share = typeof total === 'number' && total > 1 ? ` (${textOf(done)} of ${total})` : '';
    return `${printable(textOf(message))}${share}`;
  }
  if (event.type === 'recovering') return `undoing ${event.uid ?? ''} (${printable(textOf(reason))})`;
  return undefined;
}

/**
 * A line on the terminal that says what takes so long. It is gone as soon as anything else is written: by then there is
 * something better to read. Without a terminal there is none.
 */
export function showProgress(atFirst = 'working'): Progress {
  if (!isWatched('stderr')) return { observe: () => undefined, stop: () => undefined };
  const startedMs = performance.now();
  let words = atFirst;
  let spinner: Spinner | undefined;
  let stopped = false;
  const text = (): string => `${words}, ${formatDuration(performance.now() - startedMs)}`;
  const timer = setInterval(() => {
    if (spinner !== undefined) spinner.text = text();
  }, 200);
  const begin = setTimeout(() => {
    void import('yocto-spinner').then(({ default: make }) => {
      // Signals are ours: by itself it would end the program, with what is half done left half done.
      if (!stopped) spinner = make({ text: text(), stream: process.stderr, handleSignals: false }).start();
    });
  }, patienceMs);
  function stop(): void {
    stopped = true;
    clearInterval(timer);
    clearTimeout(begin);
    spinner?.stop();
    beforeWriting(undefined);
  }
  beforeWriting(stop);
  return {
    observe: (event) => {
      words = wordsFor(event) ?? words;
    },
    stop,
  };
}
