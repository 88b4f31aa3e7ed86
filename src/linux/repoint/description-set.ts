import { compareDescriptions, type DescriptorRef } from './kcmp.ts';

/** Things that stand for open file descriptions, no two of them for the same. */
export interface DescriptionSet<Item extends DescriptorRef> {
  /** The one that stands for the same description as this descriptor. `key` is that of its file. */
  find(ref: DescriptorRef, key: string): Item | undefined;
  /** Adds one, unless one for the same description is there: then that is the answer. */
  add(item: Item, key: string): Item;
  readonly items: readonly Item[];
}

/**
 * A set that is searched by kcmp(2), by bisection, as the kernel orders descriptions.
 *
 * Only what has the same key is compared: anything serves that one description has only one of, as mount and inode.
 */
export function descriptionSet<Item extends DescriptorRef>(): DescriptionSet<Item> {
  const buckets = new Map<string, Item[]>();
  const items: Item[] = [];
  return {
    items,
    find(ref, key) {
      const bucket = buckets.get(key) ?? [];
      return bucket[locate(bucket, ref).index];
    },
    add(item, key) {
      const bucket = buckets.get(key) ?? [];
      buckets.set(key, bucket);
      const { index, place } = locate(bucket, item);
      const present = bucket[index];
      if (present !== undefined) return present;
      bucket.splice(place, 0, item);
      items.push(item);
      return item;
    },
  };
}

/** Where it is, -1 for nowhere, and where it belongs. */
function locate(sorted: readonly DescriptorRef[], ref: DescriptorRef): { index: number; place: number } {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = sorted[middle];
    const order = other === undefined ? -1 : compareDescriptions(ref, other);
    if (order === 0) return { index: middle, place: middle };
    // What has been closed belongs nowhere; it is taken to be less, so that the search ends.
    if (order === undefined || order < 0) high = middle;
    else low = middle + 1;
  }
  return { index: -1, place: low };
}
