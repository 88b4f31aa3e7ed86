import type { OnRecord, Whom } from '../experiment/deaths.ts';
import type { Answer, Cause } from '../forensics/answer.ts';
import { explainLargeNumber } from '../forensics/codes/explain-code.ts';
import { explainDeath } from '../forensics/explain-death.ts';
import { explainLog } from '../forensics/explain-log.ts';
import { askForContainer, containerCauses, findContainer } from '../forensics/host/containers.ts';
import { findCoreDumps } from '../forensics/host/core-dumps.ts';
import { readKernelLog } from '../forensics/host/kernel-log.ts';
import { type JsonObject, toJson } from '../base/json.ts';
import { count, listed } from '../base/text.ts';
import { bootTimeMs, startTimeMs } from '../linux/clock.ts';
import { memoryCgroupOf, readMemoryCgroup } from '../linux/memory-cgroup.ts';
import { isDead } from '../targets/identity.ts';
import { nameMatcher } from '../targets/name-match.ts';
import { nearNames } from '../targets/near-names.ts';
import { type ProcessTable, readProcessTable } from '../targets/process-table.ts';

/** What the journal says, or why it could not be asked. */
export type Journal = OnRecord | { readonly lacking: string };

/** Who lives under that number or name now. */
function living(table: ProcessTable, who: Whom): readonly number[] {
  if ('pid' in who) {
    const stat = table.stat(who.pid);
    return stat === undefined || isDead(stat) ? [] : [who.pid];
  }
  const matcher = nameMatcher(who.name);
  return table.pids().filter((pid) => {
    const comm = table.comm(pid);
    const stat = comm !== undefined && matcher.matches(table, pid, comm) ? table.stat(pid) : undefined;
    return stat !== undefined && !isDead(stat) && pid !== process.pid;
  });
}

function aliveText(table: ProcessTable, pids: readonly number[]): string | null {
  const [first] = pids;
  if (first === undefined) return null;
  const name = table.comm(first) ?? '';
  return pids.length === 1
    ? `pid ${first} (${name}) is alive`
    : `${count(pids.length, 'process', 'processes')} called ${name} live`;
}

/** When a living process was born, in wall-clock ms since 1970. */
function bornAt(table: ProcessTable, pid: number): number | null {
  const stat = table.stat(pid);
  return stat === undefined ? null : Date.now() - (bootTimeMs() - startTimeMs(stat));
}

/** The OOM killer counts its kills in each cgroup: where one of the same name lives, others of it may have died. */
function cgroupCauses(pids: readonly number[]): readonly Cause[] {
  const seen = new Set<string>();
  return pids.slice(0, 50).flatMap((pid): readonly Cause[] => {
    const cgroup = memoryCgroupOf(pid);
    if (cgroup === undefined || cgroup.path === '/' || seen.has(cgroup.folder)) return [];
    seen.add(cgroup.folder);
    const kills = readMemoryCgroup(cgroup)?.oomKills ?? 0;
    if (kills === 0) return [];
    const killed = count(kills, 'process', 'processes');
    const title = `the OOM killer has killed ${killed} in the cgroup ${cgroup.path}, where pid ${pid} lives now`;
    const evidence = [
      `oom_kill ${kills} in ${cgroup.folder}/${cgroup.version === 2 ? 'memory.events' : 'memory.oom_control'}`,
    ];
    return [
      {
        id: 'oom-killer',
        likelihood: 'possible',
        title,
        evidence,
        next: ['the kernel log names each victim: faultline why --log FILE'],
      },
    ];
  });
}

function nearMiss(table: ProcessTable, who: Whom): readonly string[] {
  if ('pid' in who) return [];
  if (/^-?\d[\d.]*$/.test(who.name)) {
    return [`${who.name} was taken for a name: exit codes are 0 to 255, signals -64 to -1, and PIDs whole numbers`];
  }
  const near = nearNames(table, who.name);
  return near.length === 0 ? [] : [`there live processes called ${listed(near)}: was one of them meant?`];
}

/** Why a process died, from all that this host knows. @param question as it was asked */
export async function whyProcess(question: string, who: Whom, journal: Journal): Promise<Answer> {
  const table = readProcessTable();
  const pids = living(table, who);
  const about = 'pid' in who ? `pid ${who.pid}` : who.name;
  const asked = 'pid' in who ? String(who.pid) : who.name;
  const [kernel, cores, { state: container, silent }] = await Promise.all([
    readKernelLog(),
    findCoreDumps(asked, 'pid' in who ? Date.now() - bootTimeMs() : 0),
    'name' in who ? askForContainer(who.name) : { state: undefined, silent: [] },
  ]);
  const told = explainLog(question, kernel.findings, who);
  const runtimes = silent.length === 0 ? null : `containers (${silent.join(' and ')} took too long)`;
  const lacking = [kernel.lacking, cores.lacking, runtimes, 'lacking' in journal ? journal.lacking : null];
  const known = 'lacking' in journal ? { deeds: [], deaths: [] } : journal;
  const causes = [
    ...told.causes,
    ...cores.causes,
    ...(container === undefined ? [] : containerCauses(container)),
    ...cgroupCauses(pids),
  ];
  const nothing = causes.length + known.deeds.length + known.deaths.length === 0;
  const status = nothing && 'pid' in who && pids.length === 0 ? explainLargeNumber(question) : undefined;
  return explainDeath(
    question,
    about,
    {
      deeds: known.deeds,
      records: known.deaths,
      causes,
      alive: aliveText(table, pids),
      bornAt: 'pid' in who && pids.length > 0 ? bornAt(table, who.pid) : null,
      tables: told.tables ?? [],
      lacking: lacking.filter((one) => one !== null),
      notes: [
        ...told.notes,
        ...(nothing && pids.length === 0 ? nearMiss(table, who) : []),
        ...(nothing && 'pid' in who && pids.length === 0 && who.pid < 1024
          ? [`exit codes end at 255: what a program hands to exit(${who.pid}) is shown as ${who.pid & 0xff}`]
          : []),
        ...(status === undefined ? [] : [`as what wait(2) gives, ${question} is: ${status.summary}`]),
      ],
      facts: toJson({ who, alive: pids, kernel: told.facts, container: container ?? null }) as JsonObject,
    },
    'pid' in who,
  );
}

/** Why a container ended, as docker or podman tells. */
export async function whyContainer(question: string): Promise<Answer | undefined> {
  const state = await findContainer(question);
  if (state === undefined) return undefined;
  const { running, status, restarts, runtime } = state;
  const alive = running ? `the container ${question} runs` : null;
  return explainDeath(question, `the container ${question}`, {
    deeds: [],
    records: [],
    causes: containerCauses(state),
    alive,
    bornAt: null,
    tables: [],
    lacking: [],
    notes: [`${runtime} calls it ${status}`, ...(restarts > 0 ? [`it was restarted ${count(restarts, 'time')}`] : [])],
    facts: toJson({ container: state }) as JsonObject,
  });
}
