import type { Limits, RunDocument, Series } from '../../result.ts';
import { valueText } from '../plain-text.ts';
import type { TimeAxis } from './time-axis.ts';

/*
 * What is good may be something else while the method goes on: a curve is within its tolerance, or outside, by the
 * moment.
 */

/** Limits for a stretch of time, whose ends are shares of the width of the page's axis. */
export interface Band extends Limits {
  readonly from: number;
  readonly to: number;
}

/** The limits of a curve from the left to the right, without gaps. */
export function toleranceBands(series: Series, phases: RunDocument['phases'], axis: TimeAxis): readonly Band[] {
  const { atLeast, atMost, during } = series;
  const limits: Limits = { atLeast, atMost };
  const method = phases.find(({ name }) => name === 'method');
  if (during === undefined || method === undefined) return [{ ...limits, from: 0, to: 1 }];
  const [from, to] = [axis.share(method.fromMs), axis.share(method.toMs)];
  return [
    { ...limits, from: 0, to: from },
    { ...during, from, to },
    { ...limits, from: to, to: 1 },
  ].filter((band) => band.to > band.from);
}

function textOf({ atLeast, atMost }: Limits, unit: string): string | undefined {
  if (atLeast !== null && atMost !== null) {
    return atLeast === atMost
      ? `exactly ${valueText(atLeast, unit)}`
      : `${valueText(atLeast, unit)} to ${valueText(atMost, unit)}`;
  }
  if (atLeast !== null) return `at least ${valueText(atLeast, unit)}`;
  return atMost === null ? undefined : `at most ${valueText(atMost, unit)}`;
}

/** `at most 250 ms; meanwhile at most 1 s`; undefined: anything is good. */
export function limitText(series: Series): string | undefined {
  const usually = textOf(series, series.unit);
  if (series.during === undefined) return usually;
  const meanwhile = textOf(series.during, series.unit) ?? 'anything';
  return `${usually === undefined ? '' : `${usually}; `}meanwhile ${meanwhile}`;
}
