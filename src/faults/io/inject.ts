import { count } from '../../base/text.ts';
import { toJson, type JsonObject } from '../../base/json.ts';
import type { Journal, Plan, Site, TargetVerdict } from '../fault.ts';
import { askOrStart, startEarly } from './daemon/launch.ts';
import { userKey } from './daemon/place.ts';
import type { JoinAnswer, JoinRequest } from './daemon/protocol.ts';
import { specOf, volumeIntent, volumeOf } from './effect.ts';
import { isMounted, volumePlanOf } from './volume-plan.ts';
import { processVerdict } from './verdicts.ts';

/** How long covering a volume and moving all who use it may take, in milliseconds. */
const joinTimeoutMs = 60_000;

function unreachedText({ mountId, unreached }: JoinAnswer): string {
  const files = `${count(unreached, 'open file is', 'open files are')} not reached until opened anew`;
  return `is covered by mount ${mountId}, but ${files}: no rule was about that so far`;
}

/** Look whether the volume is covered, as somebody in its namespace sees it. */
function volumeVerdict(plan: Plan, answer: JoinAnswer): TargetVerdict {
  const [planned] = plan.targets;
  if (planned === undefined) throw new Error('a plan has its volume as the first target');
  const { mountId, passthrough, unreached, daemon } = answer;
  const target = { key: planned.key, label: planned.label };
  const evidence = { mountId, passthrough, unreached, daemon: { ...daemon } };
  switch (isMounted(volumePlanOf(plan), mountId)) {
    case true:
      if (unreached > 0) return { target, verdict: 'inconclusive', seen: unreachedText(answer), evidence };
      return { target, verdict: 'confirmed', seen: `is covered by mount ${mountId}`, evidence };
    case false:
      return { target, verdict: 'mismatch', seen: 'is not covered: somebody has taken the mount away', evidence };
    default:
      return { target, verdict: 'inconclusive', seen: 'its namespace cannot be looked at any more', evidence };
  }
}

function userVerdicts(plan: Plan, { report }: JoinAnswer): readonly TargetVerdict[] {
  const { key: volume } = volumePlanOf(plan);
  const byKey = new Map(report.processes.map((one) => [userKey(volume, one), one]));
  const planned = plan.targets.slice(1).map(({ key, label }) => processVerdict({ key, label }, byKey.get(key)));
  const known = new Set(plan.targets.map(({ key }) => key));
  // Who has begun to use it since it was planned.
  const others = [...byKey].filter(([key]) => !known.has(key));
  return [
    ...planned,
    ...others.map(([key, one]) => processVerdict({ key, label: `pid ${one.pid} (${one.comm})` }, one)),
  ];
}

/** The daemon of the volume takes as long to start as all the rest. */
export function startDaemon(plan: Plan, site: Site): void {
  startEarly(site, volumePlanOf(plan).key);
}

/** Cover the volume, put the rules in force, and move onto it whoever has files of it open. */
export async function coverVolume(plan: Plan, journal: Journal, site: Site): Promise<readonly TargetVerdict[]> {
  const [effect] = await journal.intend(() => [volumeIntent(plan)]);
  if (effect === undefined) throw new Error('the effect of a volume is one');
  const { seed, rules } = specOf(effect);
  const volume = volumeOf(effect);
  journal.progress('covering the volume', 0, 1);
  const request: JoinRequest = { ask: 'join', effect: effect.id, volume, seed: seed ?? '', rules };
  const asked = toJson(request) as JsonObject;
  const answer = (await askOrStart(site, volume.key, asked, joinTimeoutMs)) as unknown as JoinAnswer;
  const { daemon, mountId, passthrough } = answer;
  journal.settle([{ effect, status: 'applied', outcome: { daemon: { ...daemon }, mountId, passthrough } }]);
  return [volumeVerdict(plan, answer), ...userVerdicts(plan, answer)];
}
