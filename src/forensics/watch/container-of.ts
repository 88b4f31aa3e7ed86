/** As much of an identity as runtimes show. */
const shortId = 12;

/** Where runtimes put the identity of a container into the path of its cgroup. */
const patterns = [
  // systemd's driver: docker-ID.scope, cri-containerd-ID.scope, crio-ID.scope, libpod-ID.scope
  /\/(?:docker|cri-containerd|crio|libpod|containerd|nerdctl)-([0-9a-f]{64})\.scope(?:\/|$)/,
  // cgroupfs's driver: /docker/ID, /kubepods/burstable/podUID/ID, /libpod_parent/libpod-ID
  /\/(?:libpod-)?([0-9a-f]{64})(?:\/|$)/,
  /\/lxc(?:\.payload)?[./]([^/]+)(?:\/|$)/,
] as const;

/** Many die in few cgroups. */
const remembered = new Map<string, string | null>();
const mostRemembered = 1_000;

/**
 * The container that a cgroup belongs to: its identity as the runtime shows it (`docker ps`), or its name with LXC.
 *
 * @param cgroup from the root of the hierarchy
 * @returns null where the path tells of none
 */
export function containerOf(cgroup: string | null): string | null {
  if (cgroup === null) return null;
  const known = remembered.get(cgroup);
  if (known !== undefined) return known;
  if (remembered.size >= mostRemembered) remembered.clear();
  const found = find(cgroup);
  remembered.set(cgroup, found);
  return found;
}

function find(cgroup: string): string | null {
  for (const pattern of patterns) {
    const found = pattern.exec(cgroup)?.[1];
    if (found !== undefined) return found.length === 64 ? found.slice(0, shortId) : found;
  }
  return null;
}
