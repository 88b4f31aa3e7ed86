/** A server behind the balancer. */
export interface Upstream {
  readonly port: number;
}

export interface Upstreams {
  /** The next one in turn that is not out and was not tried; undefined: there is none. */
  next(tried: ReadonlySet<Upstream>): Upstream | undefined;
  /** It has failed: it is left out for a while. */
  failed(upstream: Upstream): void;
}

/**
 * Servers in turn. One that fails once is left out for ten seconds: `max_fails=1 fail_timeout=10s`, nginx's default.
 *
 * Source: https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
 *
 * @param clock in ms
 */
export function upstreamsOf(ports: readonly number[], clock: () => number, failTimeoutMs = 10_000): Upstreams {
  const all = ports.map((port) => ({ port }));
  const outUntil = new Map<Upstream, number>();
  let turn = 0;
  return {
    next: (tried) => {
      const nowMs = clock();
      for (let step = 0; step < all.length; step++) {
        const upstream = all[(turn + step) % all.length];
        if (upstream === undefined || tried.has(upstream) || (outUntil.get(upstream) ?? 0) > nowMs) continue;
        turn = (turn + step + 1) % all.length;
        return upstream;
      }
      return undefined;
    },
    failed: (upstream) => outUntil.set(upstream, clock() + failTimeoutMs),
  };
}
