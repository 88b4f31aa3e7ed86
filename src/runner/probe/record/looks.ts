import type { Json } from '../../../base/json.ts';

export interface Look {
  readonly atMs: number;
  readonly value: Json;
}

/** Within this time one look of each value is kept: whoever judges the others would judge the same again. */
const sameMs = 250;
/** So many of the last looks are compared with. */
const compared = 16;
/** Characters of texts that are kept; older texts than these are let go of. */
const mostCharacters = 8 * 1024 * 1024;

function sizeOf(value: Json): number {
  return typeof value === 'string' ? value.length : 0;
}

/** What a probe saw of one measure, each time that it looked. */
export class Looks {
  private looks: Look[] = [];
  private characters = 0;
  private readonly each: boolean;

  /** @param each keep each look, for those that are added up */
  constructor(each: boolean) {
    this.each = each;
  }

  add(atMs: number, value: Json): void {
    const slot = Math.floor(atMs / sameMs);
    const recent = this.looks.slice(-compared).reverse();
    const same = recent.find((look) => look.value === value);
    const isAgain = recent.some((look) => look.value === value && Math.floor(look.atMs / sameMs) === slot);
    if (isAgain && !this.each) return;
    // The same text as before is kept once.
    this.looks.push({ atMs, value: same?.value ?? value });
    if (same === undefined) this.characters += sizeOf(value);
    if (this.characters > mostCharacters) this.forget();
  }

  /** The looks of a window, in order. */
  between(fromMs: number, toMs: number): readonly Look[] {
    return this.looks.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).sort((a, b) => a.atMs - b.atMs);
  }

  /** The older half goes. */
  private forget(): void {
    this.looks = this.looks.slice(Math.ceil(this.looks.length / 2));
    this.characters = this.looks.reduce((sum, { value }) => sum + sizeOf(value), 0);
  }
}
