import type { Page, RecordDocument } from '../../api/documents.ts';
import type { ListFilter } from '../../api/operations.ts';
import { type Client, lookPatienceMs } from './client.ts';
import { documentOf, isPage } from './shapes.ts';

/** What a service gives at a time. */
const mostOnPage = 500;

function queryOf({ states, kind, schedule, ascending }: ListFilter, offset: number, limit: number): string {
  const query = new URLSearchParams({
    ...(states === undefined ? {} : { state: states.join(',') }),
    ...(kind === undefined ? {} : { kind }),
    ...(schedule === undefined ? {} : { schedule }),
    order: ascending === true ? 'asc' : 'desc',
    offset: String(offset),
    limit: String(limit),
  });
  return String(query);
}

async function pageOf(client: Client, filter: ListFilter, offset: number, limit: number) {
  const { document } = await client.ask({
    method: 'GET',
    path: `/injections?${queryOf(filter, offset, limit)}`,
    patienceMs: lookPatienceMs,
    repeatable: true,
  });
  return documentOf(client.url, 'page of a list', isPage, document);
}

interface Bounds {
  readonly offset?: number;
  readonly limit?: number;
}

/**
 * As many as are wanted, page after page. Records are never deleted, but new ones come while we read: those that move
 * over to the next page are told once.
 */
export async function readPages<Item extends { readonly uid: string }>(
  { offset: first = 0, limit: wanted = Number.POSITIVE_INFINITY }: Bounds,
  readPage: (offset: number, limit: number) => Promise<Page<Item>>,
): Promise<Page<Item>> {
  const found = new Map<string, Item>();
  let offset = first;
  for (;;) {
    const page = await readPage(offset, Math.min(mostOnPage, Math.max(wanted - found.size, 1)));
    const before = found.size;
    for (const item of page.items) if (found.size < wanted) found.set(item.uid, item);
    offset += page.items.length;
    const { total } = page;
    if (found.size >= wanted || offset >= total || found.size === before) {
      return { items: [...found.values()], total, offset: first };
    }
  }
}

/** All injections that a filter matches. */
export function listAll(client: Client, filter: ListFilter): Promise<Page<RecordDocument>> {
  // No state at all, as with chaosd's word for schedules: a query cannot say that, and nothing needs to.
  if (filter.states?.length === 0) return Promise.resolve({ items: [], total: 0, offset: filter.offset ?? 0 });
  return readPages(filter, (offset, limit) => pageOf(client, filter, offset, limit));
}
