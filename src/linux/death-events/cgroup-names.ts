/** A cgroup as the kernel's programs tell of it. */
export interface ToldCgroup {
  /** 0: it is the root. */
  readonly parent: bigint;
  readonly name: string;
}

/** Paths of cgroups, by their numbers; what has been removed since is remembered. */
export interface CgroupNames {
  tell(id: bigint, cgroup: ToldCgroup): void;
  /** From the root of the hierarchy; null where a part of the path was not told of. */
  pathOf(id: bigint): string | null;
  readonly size: number;
  clear(): void;
}

export function cgroupNames(): CgroupNames {
  const told = new Map<bigint, ToldCgroup>();

  function pathOf(id: bigint): string | null {
    const names: string[] = [];
    for (let at = id; at !== 0n; ) {
      const cgroup = told.get(at);
      if (cgroup === undefined) return null;
      if (cgroup.parent !== 0n) names.unshift(cgroup.name);
      at = cgroup.parent;
    }
    return id === 0n ? null : `/${names.join('/')}`;
  }

  return Object.freeze<CgroupNames>({
    tell: (id, cgroup) => told.set(id, cgroup),
    pathOf,
    get size() {
      return told.size;
    },
    clear: () => {
      told.clear();
    },
  });
}
