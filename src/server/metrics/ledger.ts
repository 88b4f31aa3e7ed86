import { createFamilies, type Families } from './families.ts';

/** When the library is loaded if nobody has asked by then, in milliseconds. */
const loadAfterMs = 1_000;

/** Where what is to be counted goes: the families, once they are loaded. */
export interface Ledger {
  readonly enter: (write: (families: Families) => void) => void;
  /** Load them now, if they are not loaded. */
  readonly open: () => Promise<Families>;
  readonly close: () => void;
}

/** Loading the library takes as long as a request or two, which nobody who starts the service should wait for. */
export function openLedger(): Ledger {
  let entries: ((families: Families) => void)[] = [];
  let opened: Families | undefined;
  let opening: Promise<Families> | undefined;
  async function load(): Promise<Families> {
    const families = await createFamilies();
    opened = families;
    for (const write of entries) write(families);
    entries = [];
    return families;
  }
  function open(): Promise<Families> {
    opening ??= load();
    return opening;
  }
  const timer = setTimeout(() => {
    open().catch(() => undefined); // whoever asks is told
  }, loadAfterMs).unref();
  return Object.freeze<Ledger>({
    enter: (write) => {
      if (opened === undefined) entries.push(write);
      else write(opened);
    },
    open,
    close: () => {
      clearTimeout(timer);
    },
  });
}
