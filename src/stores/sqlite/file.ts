import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

// synchronous=FULL: in WAL mode NORMAL may lose the latest commits when the power fails (sqlite.org/pragma.html#pragma_synchronous).
// The provider has by then withdrawn the old refresh token (RFC 6749 §6), so a lost commit is a lost grant. FULL costs one fsync a commit.
// secure_delete: what a person disconnects is overwritten, not only unlinked.
const settings = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
`

// An owner's end stands once, so that its records cannot end apart. Rows past their end are invisible and wait to be swept.
const schema = `
  BEGIN IMMEDIATE;
  CREATE TABLE IF NOT EXISTS owners (owner TEXT PRIMARY KEY, ends_at_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS records (
    owner TEXT NOT NULL REFERENCES owners ON DELETE CASCADE,
    field TEXT NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (owner, field)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS claims (key TEXT PRIMARY KEY, ends_at_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, record BLOB NOT NULL, ends_at_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS leases (key TEXT PRIMARY KEY, holder TEXT NOT NULL, ends_at_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS counts (key TEXT PRIMARY KEY, count INTEGER NOT NULL, ends_at_ms INTEGER NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS owners_by_end ON owners (ends_at_ms);
  CREATE INDEX IF NOT EXISTS claims_by_end ON claims (ends_at_ms);
  CREATE INDEX IF NOT EXISTS kept_by_end ON kept (ends_at_ms);
  CREATE INDEX IF NOT EXISTS counts_by_end ON counts (ends_at_ms);
  CREATE INDEX IF NOT EXISTS leases_by_end ON leases (ends_at_ms);
  COMMIT;
`

/** Waiting for another process's transaction blocks this one's event loop: longer than any of ours takes, well below a second. */
const busyTimeoutMs = 500
/** At the start nobody is held up by it, and several processes that start together wait for each other's. */
const openTimeoutMs = 10_000

/** @throws a plain Error that names the file and says what is wrong with it; its code is `ERR_STORE_FILE` or `ERR_STORE_LOCKED`. */
export function openSqliteFile(file: string): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    createPrivately(file)
    db = new DatabaseSync(file, { timeout: openTimeoutMs })
    db.exec(settings)
    db.exec(schema)
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
    return db
  } catch (cause) {
    db?.close()
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `Cannot open the store ${file}: ${reason}. DATA_DIR must be a folder in which this process may write.`
    // Another process may let go of it; nothing else becomes right by being tried again.
    const code = /\blocked\b/.test(reason) ? 'ERR_STORE_LOCKED' : 'ERR_STORE_FILE'
    throw Object.assign(new Error(message, { cause }), { code })
  }
}

/**
 * SQLite itself would create the file as the umask says, and gives its -wal and -shm the mode of the file. An existing file must
 * not be opened here: closing it drops the locks of every other handle in this process (sqlite.org/howtocorrupt.html §2.2).
 */
function createPrivately(file: string) {
  try {
    writeFileSync(file, '', { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    chmodSync(file, 0o600)
  }
}
