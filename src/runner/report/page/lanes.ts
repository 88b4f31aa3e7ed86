/** Something with a label that has a place on the axis of time; all in pixels. */
export interface Labelled {
  readonly from: number;
  readonly to: number;
  readonly label: number;
}

export interface Placed {
  /** From the top; undefined: there was no room for the label. */
  readonly lane: number | undefined;
  /** Where the label stands: inside of it, beside it to the right, or beside it to the left. */
  readonly side: 'inside' | 'right' | 'left';
}

const gap = 10;
const beside = 7;

/** How wide a label can be, on the side where there is most room. */
export function roomBeside({ from, to }: Omit<Labelled, 'label'>, width: number): number {
  return Math.max(to - from - 2 * beside, width - to - beside, from - beside);
}

function sideOf({ from, to, label }: Labelled, width: number): Placed['side'] {
  if (to - from >= label + 2 * beside) return 'inside';
  return to + beside + label <= width || from - beside - label < 0 ? 'right' : 'left';
}

function extentOf({ from, to, label }: Labelled, side: Placed['side']): readonly [number, number] {
  if (side === 'inside') return [from, to];
  return side === 'right' ? [from, to + beside + label] : [from - beside - label, to];
}

/**
 * Lanes in which labels do not overlap, each the first that has room. What comes first has the first choice.
 *
 * @param width of the narrowest plot that the layout is meant for
 */
export function laneLayout(items: readonly Labelled[], width: number, most: number): readonly Placed[] {
  const lanes: (readonly [number, number])[][] = [];
  return items.map((item) => {
    const side = sideOf(item, width);
    const [from, to] = extentOf(item, side);
    for (let lane = 0; lane < most; lane++) {
      const taken = (lanes[lane] ??= []);
      if (taken.every(([start, end]) => to + gap < start || from - gap > end)) {
        taken.push([from, to]);
        return { lane, side };
      }
    }
    return { lane: undefined, side };
  });
}

/** How wide a label is about: wider than it is, for it must not reach into another. */
export function labelWidth(text: string, pixelsEach = 6.9): number {
  // Of East Asian and other wide characters each may take two places.
  return [...text].reduce((sum, character) => sum + ((character.codePointAt(0) ?? 0) > 0x2e7f ? 13 : pixelsEach), 0);
}

/** At most so many pixels wide, with an ellipsis where it was cut. */
export function shortened(text: string, pixels: number): string {
  if (labelWidth(text) <= pixels) return text;
  const characters = [...text];
  while (characters.length > 1 && labelWidth(`${characters.join('')}…`) > pixels) characters.pop();
  return `${characters.join('').trimEnd()}…`;
}
