import { stripVTControlCharacters } from 'node:util';
import { beforeWriting, isWatched, write } from './style.ts';

/** Lines at the end of the terminal that are written anew again and again, below all that stays. */
export interface LiveLines {
  show(lines: readonly string[]): void;
  /** Take them away for good. */
  clear(): void;
}

/** A line that is longer than the terminal is wide would be two, and not be taken away. */
function cut(line: string, width: number): string {
  return stripVTControlCharacters(line).length < width ? line : stripVTControlCharacters(line).slice(0, width - 1);
}

/** Where nobody watches there are none. */
export function liveLines(): LiveLines {
  if (!isWatched('stderr')) return { show: () => undefined, clear: () => undefined };
  let shown = 0;
  function clear(): void {
    if (shown === 0) return;
    const lines = shown;
    shown = 0; // first: writing clears what is shown
    // CUU, ED of ECMA-48: up so many lines, and clear all from there.
    write('stderr', `\u001b[${lines}A\u001b[0J`);
  }
  write('stderr', ''); // whatever else shows how far it is ends now
  beforeWriting(clear);
  return {
    show: (lines) => {
      clear();
      const width = process.stderr.columns || 80;
      write('stderr', `${lines.map((line) => cut(line, width)).join('\n')}\n`);
      shown = lines.length;
    },
    clear: () => {
      clear();
      beforeWriting(undefined);
    },
  };
}
