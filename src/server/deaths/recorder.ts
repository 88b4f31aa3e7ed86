import type { FastifyBaseLogger } from 'fastify';
import { FaultlineError } from '../../base/error.ts';
import type { Engine } from '../../experiment/engine.ts';
import type { DeathRecord } from '../../forensics/death-record.ts';
import type { Restart } from '../../forensics/watch/restarts.ts';
import { type DeathWatch, type Sight, watchDeaths } from '../../forensics/watch/watch.ts';
import type { DeathSource } from '../../linux/death-events/event.ts';
import { openDeathSource, type RefusedSource } from '../../linux/death-events/open-source.ts';

/** How often it is looked who has died, in milliseconds: far sooner than the kernel's buffer is full. */
const lookMs = 100;

/** How long deaths are gathered before they are written down together, in milliseconds. */
const gatherMs = 500;

/** What is kept while the journal cannot be written: no more is kept in it either. */
const mostWaiting = 10_000;

/** How deaths are watched. */
export interface WatchStatus {
  readonly source: DeathSource['kind'];
  /** What it cannot tell: phrases. */
  readonly cannot: readonly string[];
  /** What would tell more, and why it is not used. */
  readonly refused: readonly RefusedSource[];
  /** How many events were lost since it began. */
  readonly dropped: number;
}

/** Hears of what is not kept, or has just been. */
export interface DeathListener {
  /** These are in the journal now. */
  written(deaths: readonly DeathRecord[]): void;
  restarted(restart: Restart): void;
  dropped(events: number, total: number): void;
}

/** Watches deaths while the service runs, and keeps the last of them in the journal. */
export interface DeathRecorder {
  begin(): void;
  /** null: nothing is watched. */
  status(): WatchStatus | null;
  /** @returns stops it */
  listen(listener: DeathListener): () => void;
  /** Resolves when all that was seen is written down. */
  stop(): Promise<void>;
}

interface Begun {
  readonly source: DeathSource;
  readonly refused: readonly RefusedSource[];
  readonly watch: DeathWatch;
  readonly timers: readonly NodeJS.Timeout[];
}

/** Hears what was written, and of restarts: none of them before the death that it follows. */
type Told = Pick<DeathListener, 'written' | 'restarted'>;

/** Writes what was seen in turns; what could not be written is tried again with the next. */
function writerOf(engine: Engine, log: FastifyBaseLogger, told: Told) {
  let waiting: DeathRecord[] = [];
  let restarts: Restart[] = [];
  let turn = Promise.resolve();
  let trouble: string | undefined;

  async function write(): Promise<void> {
    const [batch, after] = [waiting, restarts];
    [waiting, restarts] = [[], []];
    try {
      if (batch.length > 0) {
        const attributed = engine.attributeDeaths(batch);
        await engine.recordDeaths(attributed);
        trouble = undefined;
        told.written(attributed);
      }
      for (const restart of after) told.restarted(restart);
    } catch (error) {
      waiting = [...batch, ...waiting].slice(-mostWaiting);
      restarts = [...after, ...restarts].slice(-mostWaiting);
      const message = error instanceof Error ? error.message : String(error);
      if (message !== trouble) log.error({ err: error }, 'deaths cannot be written down');
      trouble = message;
    }
  }
  return {
    add: (record: DeathRecord): void => {
      waiting.push(record);
    },
    addRestart: (restart: Restart): void => {
      restarts.push(restart);
    },
    write: (): Promise<void> => {
      turn = turn.then(write);
      return turn;
    },
  };
}

type Writer = ReturnType<typeof writerOf>;

/** Hand on what is seen: deaths and restarts when they are written down, what was lost at once. */
function tell(sights: readonly Sight[], writer: Writer, listeners: ReadonlySet<DeathListener>): void {
  for (const sight of sights) {
    if (sight.kind === 'death') writer.add(sight.record);
    else if (sight.kind === 'restart') writer.addRestart(sight.restart);
    else for (const listener of listeners) listener.dropped(sight.events, sight.total);
  }
}

/** The watch itself, as long as it goes on. */
function watchOf(log: FastifyBaseLogger, writer: Writer, listeners: ReadonlySet<DeathListener>) {
  let begun: Begun | undefined;

  function end(): void {
    for (const timer of begun?.timers ?? []) clearInterval(timer);
    begun?.source.close();
    begun = undefined;
  }
  function look(isLast: boolean): void {
    try {
      const sights = begun?.watch.look(isLast) ?? [];
      for (const sight of sights) {
        if (sight.kind === 'dropped') log.warn(sight, 'deaths were not seen: there were too many at a time');
      }
      tell(sights, writer, listeners);
    } catch (error) {
      log.error({ err: error }, 'deaths are not watched any more');
      end();
    }
  }
  function begin(): void {
    try {
      const { source, refused } = openDeathSource();
      const timers = [setInterval(look, lookMs, false), setInterval(() => void writer.write(), gatherMs)];
      begun = { source, refused, watch: watchDeaths(source, {}), timers };
      log.info({ source: source.kind, cannot: source.cannot, refused }, 'watching deaths');
    } catch (error) {
      if (!(error instanceof FaultlineError)) throw error;
      log.warn({ code: error.code }, error.message);
    }
  }
  return { begin, look, end, current: (): Begun | undefined => begun };
}

export function deathRecorder(engine: Engine, log: FastifyBaseLogger): DeathRecorder {
  const listeners = new Set<DeathListener>();
  const writer = writerOf(engine, log, {
    written: (deaths) => {
      for (const listener of listeners) listener.written(deaths);
    },
    restarted: (restart) => {
      for (const listener of listeners) listener.restarted(restart);
    },
  });
  const watch = watchOf(log, writer, listeners);
  return Object.freeze<DeathRecorder>({
    begin: watch.begin,
    status: () => {
      const begun = watch.current();
      if (begun === undefined) return null;
      const { source, refused } = begun;
      return { source: source.kind, cannot: source.cannot, refused, dropped: source.dropped() };
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: async () => {
      watch.look(true);
      watch.end();
      await writer.write();
    },
  });
}
