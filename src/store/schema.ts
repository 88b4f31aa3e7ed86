/**
 * The schema, as the list of steps that lead to it: step n brings a file from version n to n + 1 (`user_version`).
 * A released step is never edited; a change is a new step.
 *
 * Times named `_at` are wall-clock milliseconds since 1970, for people. Times named `_boot_ms` are CLOCK_BOOTTIME
 * milliseconds, for decisions: nobody can set that clock back. They mean something only together with `boot_id`.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE injection (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    action TEXT NOT NULL,
    spec TEXT NOT NULL,
    plan TEXT NOT NULL,
    state TEXT NOT NULL,
    verdict TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    injected_boot_ms REAL,
    boot_id TEXT NOT NULL,
    pid_namespace INTEGER NOT NULL,
    time_namespace INTEGER NOT NULL,
    lease_ms REAL,
    lease_end_boot_ms REAL,
    repeat_ms REAL,
    rounds INTEGER NOT NULL DEFAULT 0,
    cancel TEXT,
    owner TEXT,
    error TEXT,
    actor TEXT NOT NULL
  ) STRICT;
  CREATE INDEX injection_live ON injection (state)
    WHERE state IN ('planned', 'injecting', 'injected', 'recovering');

  CREATE TABLE effect (
    id INTEGER PRIMARY KEY,
    injection_id INTEGER NOT NULL REFERENCES injection (id),
    round INTEGER NOT NULL,
    type TEXT NOT NULL,
    target_key TEXT NOT NULL,
    target_label TEXT NOT NULL,
    apply TEXT NOT NULL,
    undo TEXT,
    hold TEXT,
    status TEXT NOT NULL,
    outcome TEXT,
    intended_boot_ms REAL NOT NULL,
    settled_boot_ms REAL
  ) STRICT;
  CREATE INDEX effect_of ON effect (injection_id);
  CREATE INDEX effect_hold ON effect (hold)
    WHERE hold IS NOT NULL AND status IN ('intended', 'applied', 'releasing');

  CREATE TABLE claim (
    key TEXT NOT NULL,
    injection_id INTEGER NOT NULL REFERENCES injection (id),
    PRIMARY KEY (key, injection_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX claim_of ON claim (injection_id);

  CREATE TABLE verdict (
    id INTEGER PRIMARY KEY,
    injection_id INTEGER NOT NULL REFERENCES injection (id),
    phase TEXT NOT NULL,
    round INTEGER NOT NULL,
    target_key TEXT NOT NULL,
    target_label TEXT NOT NULL,
    verdict TEXT NOT NULL,
    seen TEXT NOT NULL,
    evidence TEXT NOT NULL
  ) STRICT;
  CREATE INDEX verdict_of ON verdict (injection_id);

  CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    injection_id INTEGER REFERENCES injection (id),
    at INTEGER NOT NULL,
    boot_ms REAL NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX event_of ON event (injection_id);

  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT,
    parameters TEXT NOT NULL,
    result TEXT NOT NULL,
    message TEXT
  ) STRICT;

  CREATE TABLE halt (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE keeper (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    identity TEXT NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE injection ADD COLUMN schedule TEXT;
  CREATE INDEX injection_of_schedule ON injection (schedule) WHERE schedule IS NOT NULL;

  CREATE TABLE server (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    identity TEXT NOT NULL,
    address TEXT NOT NULL
  ) STRICT;

  CREATE TABLE schedule (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    action TEXT NOT NULL,
    expression TEXT NOT NULL,
    body TEXT NOT NULL,
    lease_ms REAL,
    created_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    ended_at INTEGER,
    last_due_at REAL NOT NULL,
    last_due_boot_ms REAL NOT NULL,
    clock TEXT NOT NULL,
    runs INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    last_run TEXT,
    last_run_at INTEGER,
    under_way TEXT
  ) STRICT;
  CREATE INDEX schedule_active ON schedule (id) WHERE ended_at IS NULL;
  `,
  `
  ALTER TABLE injection ADD COLUMN tended INTEGER NOT NULL DEFAULT 0;
  `,
  `
  CREATE TABLE death (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    pid INTEGER NOT NULL,
    name TEXT NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX death_of_pid ON death (pid);
  CREATE INDEX death_of_name ON death (name);
  CREATE INDEX effect_of_pid ON effect (json_extract(apply, '$.identity.pid'));
  `,
  `
  ALTER TABLE injection ADD COLUMN run TEXT;
  CREATE INDEX injection_of_run ON injection (run) WHERE run IS NOT NULL;

  CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    file TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    boot_id TEXT NOT NULL,
    pid_namespace INTEGER NOT NULL,
    time_namespace INTEGER NOT NULL,
    owner TEXT NOT NULL,
    actor TEXT NOT NULL,
    blast_radius TEXT NOT NULL,
    deadline_boot_ms REAL,
    touched INTEGER NOT NULL DEFAULT 0,
    verdict TEXT,
    reason TEXT,
    document TEXT
  ) STRICT;
  CREATE INDEX run_open ON run (id) WHERE verdict IS NULL;
  `,
];

/** `FLTN`: marks the file as ours (`PRAGMA application_id`). */
export const applicationId = 0x464c544e;
