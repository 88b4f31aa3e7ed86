import { formatDuration } from '../../base/duration.ts';
import { formatSize } from '../../base/size.ts';
import { errnoName } from '../../linux/errno.ts';
import type { DisturbanceSpec, IoRule, RequesterSpec } from './rule.ts';

/** What a rule says, as a sentence: for whoever is about to let it loose. */
export function ruleText(rule: IoRule): string {
  return [methodsText(rule), ...filtersOf(rule)].join(', ') + `: ${rule.disturbances.map(disturbanceText).join('; ')}`;
}

/** So many are listed. */
const fewMethods = 6;

function methodsText({ methods, path, by }: IoRule): string {
  const what = methods.length > fewMethods ? `${methods.length} kinds of operations` : methods.join(', ');
  return `${what} on ${path ?? 'whatever is in the volume'}${requesterText(by)}`;
}

function requesterText({ pids, comms, uids }: RequesterSpec): string {
  const parts = [
    ...(pids.length === 0 ? [] : [`pid ${pids.join(', ')}`]),
    ...(comms.length === 0 ? [] : [comms.join(', ')]),
    ...(uids.length === 0 ? [] : [`uid ${uids.join(', ')}`]),
  ];
  return parts.length === 0 ? '' : ` by ${parts.join(' and ')}`;
}

function filtersOf({ offsets, after, nth, every, percent, count }: IoRule): readonly string[] {
  const end = offsets === null || offsets.to === null ? '' : formatSize(offsets.to);
  return [
    ...(offsets === null ? [] : [`bytes ${formatSize(offsets.from)}-${end}`]),
    ...(after === 0 ? [] : [`after the first ${after}`]),
    ...(nth.length === 0 ? [] : [`only number ${nth.join(', ')}`]),
    ...(every === 1 ? [] : [`every ${every}`]),
    ...(percent === 100 ? [] : [`${percent} percent`]),
    ...(count === null ? [] : [`up to ${count} times`]),
  ];
}

function disturbanceText(one: DisturbanceSpec): string {
  switch (one.kind) {
    case 'latency': {
      const jitter = one.jitterMs === 0 ? '' : ` ± ${formatDuration(one.jitterMs)} (${one.distribution})`;
      return `wait ${formatDuration(one.delayMs)}${jitter}`;
    }
    case 'bandwidth':
      return `no faster than ${formatSize(one.bytesPerSecond)} a second`;
    case 'errno':
      return `fail with ${one.choices.map((choice) => choiceText(choice, one.choices.length)).join(' or ')}`;
    case 'short':
      return `stop after ${one.maxBytes === null ? 'a random part' : formatSize(one.maxBytes)}`;
    case 'mistake': {
      const { maxOccurrences, maxLength, filling } = one;
      return `up to ${maxOccurrences} × ${formatSize(maxLength)} of wrong bytes (${filling})`;
    }
    case 'attributes':
      return `stat shows another ${Object.keys(one.attr).join(', ')}`;
  }
}

function choiceText({ errno, weight }: { readonly errno: number; readonly weight: number }, of: number): string {
  const name = errnoName(errno) ?? String(errno);
  return of === 1 ? name : `${name} (weight ${weight})`;
}
