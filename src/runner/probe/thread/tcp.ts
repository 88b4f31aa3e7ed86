import { connect } from 'node:net';
import type { TcpSource } from '../../experiment.ts';
import type { Prober } from './prober.ts';
import { reasonOf } from './reason.ts';
import { type Result, Rounds } from './rounds.ts';

const mostConnections = 64;

/** Connections that are closed as soon as they stand. */
export const probeTcp: Prober<TcpSource> = ({ host, port, everyMs, timeoutMs }, { clock, report }) => {
  function begin(finish: (result: Result) => void): () => void {
    const socket = connect({ host, port });
    socket.on('connect', () => {
      finish({});
      // Nothing was said, so nothing is waited for: no connection in TIME_WAIT for each look.
      socket.resetAndDestroy();
    });
    socket.on('error', (error) => finish({ failure: reasonOf(error) }));
    return () => socket.destroy();
  }
  const plan = { everyMs, timeoutMs, most: mostConnections, whenBusy: 'wait', timed: true } as const;
  const rounds = new Rounds(plan, clock, begin, report);
  return () => rounds.stop();
};
