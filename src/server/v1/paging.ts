import type { Page } from '../../api/documents.ts';

/** Where the next page is: the same query, further on. Null where there is none. */
export function nextPage(path: string, query: object, { items, offset, total }: Page<unknown>): string | null {
  const next = offset + items.length;
  if (items.length === 0 || next >= total) return null;
  const given = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
  const parameters = new URLSearchParams(given);
  parameters.set('offset', String(next));
  return `${path}?${parameters.toString()}`;
}
