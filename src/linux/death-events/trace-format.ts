/** A field of a trace event, as its `format` file has it: Documentation/trace/events.rst. */
export interface TraceField {
  readonly offset: number;
  readonly size: number;
  readonly signed: boolean;
  /** The field holds where in the record its text stands: offset in the lower half, length in the upper one. */
  readonly dynamic: boolean;
}

export interface TraceFormat {
  readonly id: number;
  readonly fields: ReadonlyMap<string, TraceField>;
}

const fieldLine = /^\tfield:(.*?)\b(\w+)(?:\[\w*\])?;\toffset:(\d+);\tsize:(\d+);\tsigned:([01]);$/;

/** @returns undefined: it is no format that is known */
export function parseTraceFormat(text: string): TraceFormat | undefined {
  const id = /^ID: (\d+)$/m.exec(text)?.[1];
  const fields = new Map<string, TraceField>();
  for (const line of text.split('\n')) {
    const [, type = '', name = '', offset, size, signed] = fieldLine.exec(line) ?? [];
    if (name === '') continue;
    fields.set(name, {
      offset: Number(offset),
      size: Number(size),
      signed: signed === '1',
      dynamic: type.startsWith('__data_loc'),
    });
  }
  return id === undefined || fields.size === 0 ? undefined : Object.freeze({ id: Number(id), fields });
}

/** A number of a record; undefined where this kernel's event has no such field. */
export function numberIn({ fields }: TraceFormat, record: Buffer, name: string): number | undefined {
  const field = fields.get(name);
  if (field === undefined || field.offset + field.size > record.length) return undefined;
  const { offset, size, signed } = field;
  if (size === 8) return Number(signed ? record.readBigInt64LE(offset) : record.readBigUInt64LE(offset));
  return signed ? record.readIntLE(offset, size) : record.readUIntLE(offset, size);
}

/** A text of a record, up to its NUL. */
export function textIn({ fields }: TraceFormat, record: Buffer, name: string): string | undefined {
  const field = fields.get(name);
  if (field === undefined || field.offset + field.size > record.length) return undefined;
  const place = field.dynamic ? record.readUInt32LE(field.offset) : field.offset | (field.size << 16);
  const start = place & 0xffff;
  const bytes = record.subarray(start, start + (place >>> 16));
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}
