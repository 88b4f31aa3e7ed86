/** Rules between columns and below the head, none around: as chaosd prints its tables. */
const rules = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  right: '',
  'right-mid': '',
  mid: '-',
  'mid-mid': '+',
  middle: '|',
};

/** A table as plain text; cells must be printable already. */
export async function tableText(columns: readonly string[], rows: readonly (readonly string[])[]): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const table = new Table({ head: [...columns], chars: rules, style: { head: [], border: [], compact: true } });
  for (const row of rows) table.push([...row]);
  const lines = table.toString().split('\n');
  const width = Math.max(...lines.map((line) => line.length));
  // The library puts the rule below the head only in its roomy style.
  const [head = '', ...body] = lines.filter((line) => !/^[-+]*$/.test(line));
  const rule = head.replaceAll(/[^|]/g, '-').replaceAll('|', '+').padEnd(width, '-');
  return [head, rule, ...body].map((line) => line.trimEnd()).join('\n');
}
