import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import type { PrometheusSource } from '../../experiment.ts';
import { lookEvery, startLooking } from './looking.ts';
import type { Prober } from './prober.ts';

/** More than a number takes, and less than a million series. */
const mostCharacters = 1024 * 1024;

/** What `/api/v1/query` answers, as far as it is looked at. */
interface QueryAnswer {
  readonly status?: unknown;
  readonly error?: unknown;
  readonly data?: { readonly resultType?: unknown; readonly result?: unknown };
}

function queryUrl({ url, query }: PrometheusSource): URL {
  const asked = new URL(url);
  asked.pathname = `${asked.pathname.replace(/\/$/, '')}/api/v1/query`;
  asked.searchParams.set('query', query);
  return asked;
}

function ask(url: URL, signal: AbortSignal): Promise<unknown> {
  const { get } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const asked = get(url, { signal, agent: false }, (answer) => {
      answer.on('data', countCharacters());
      text(answer)
        .then((read) => parsed(read, answer.statusCode ?? 0))
        .then(resolve, reject);
    });
    asked.on('error', reject);
    asked.on('close', () => reject(new Error('no answer')));

    function countCharacters(): (piece: Buffer) => void {
      let seen = 0;
      return (piece) => {
        seen += piece.length;
        if (seen > mostCharacters) asked.destroy(new Error('too long an answer'));
      };
    }
  });
}

function parsed(read: string, status: number): unknown {
  try {
    return JSON.parse(read);
  } catch {
    throw new Error(status === 200 ? 'not an answer of Prometheus' : `status ${status}`);
  }
}

/** `[1700000000.1, "42"]`: when, and what. */
function sampleValue(sample: unknown): number {
  const value: unknown = Array.isArray(sample) ? sample[1] : undefined;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (Number.isFinite(number)) return number;
  throw new Error(typeof value === 'string' ? `the value is ${value}` : 'not an answer of Prometheus');
}

/** @throws Error it is not one number */
function oneNumber(answer: QueryAnswer): number {
  if (answer.status === 'error') throw new Error(`query refused: ${String(answer.error)}`);
  const { resultType, result } = answer.data ?? {};
  if (resultType === 'scalar') return sampleValue(result);
  if (resultType !== 'vector' || !Array.isArray(result)) throw new Error('not one number');
  const series: readonly unknown[] = result;
  if (series.length !== 1) throw new Error(series.length === 0 ? 'no series' : `${series.length} series, not one`);
  const [only] = series;
  return sampleValue(typeof only === 'object' && only !== null && 'value' in only ? only.value : undefined);
}

/** An instant query that is one number: https://prometheus.io/docs/prometheus/latest/querying/api/ */
export const probePrometheus: Prober<PrometheusSource> = (source, parts) => {
  const url = queryUrl(source);
  const rounds = startLooking(lookEvery(source.everyMs, source.timeoutMs), parts, async (timeUp) => {
    const answer = await ask(url, timeUp);
    if (typeof answer !== 'object' || answer === null) throw new Error('not an answer of Prometheus');
    return { values: { value: oneNumber(answer) } };
  });
  return () => rounds.stop();
};
