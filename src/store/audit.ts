import type { JsonObject } from '../base/json.ts';
import { number, object, text, textOrNull } from './columns.ts';
import type { Store } from './store.ts';

/** Who did what, and how it ended. Rows are only ever added. */
export interface AuditRecord {
  readonly id: number;
  /** Wall-clock ms since 1970. */
  readonly at: number;
  readonly actor: JsonObject;
  /** `attack`, `recover`, `halt`, `release`, `repair`, `add schedule`, `end schedule`, `request` */
  readonly action: string;
  /** The uid of the injection, where there is one. */
  readonly subject: string | null;
  readonly parameters: JsonObject;
  /** `ok` or an error code. */
  readonly result: string;
  readonly message: string | null;
}

export function insertAudit(store: Store, entry: Omit<AuditRecord, 'id'>): void {
  store.run(
    `INSERT INTO audit (at, actor, action, subject, parameters, result, message)
     VALUES ($at, $actor, $action, $subject, $parameters, $result, $message)`,
    {
      at: entry.at,
      actor: JSON.stringify(entry.actor),
      action: entry.action,
      subject: entry.subject,
      parameters: JSON.stringify(entry.parameters),
      result: entry.result,
      message: entry.message,
    },
  );
}

/** The newest entries, newest first. */
export function listAudit(store: Store, limit: number): readonly AuditRecord[] {
  return store.all('SELECT * FROM audit ORDER BY id DESC LIMIT $limit', { limit }).map((row) =>
    Object.freeze({
      id: number(row, 'id'),
      at: number(row, 'at'),
      actor: object(row, 'actor'),
      action: text(row, 'action'),
      subject: textOrNull(row, 'subject'),
      parameters: object(row, 'parameters'),
      result: text(row, 'result'),
      message: textOrNull(row, 'message'),
    }),
  );
}
