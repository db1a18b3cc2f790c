import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

// synchronous=FULL: in WAL mode NORMAL may lose the latest commits in a power failure (sqlite.org/pragma.html#pragma_synchronous). By then
// the provider has invalidated the old refresh token (RFC 6749 §6), so a lost commit is a lost grant. FULL costs one fsync a commit.
// secure_delete: deleted tokens are overwritten, not only unlinked.
const settings = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
`

// The expiry stands in the owner's row, so that all its records expire together. Reads skip expired rows until the sweep deletes them.
const schema = `
  BEGIN IMMEDIATE;
  CREATE TABLE IF NOT EXISTS owners (owner TEXT PRIMARY KEY, expires_at_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS records (
    owner TEXT NOT NULL REFERENCES owners ON DELETE CASCADE,
    field TEXT NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (owner, field)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS claims (key TEXT PRIMARY KEY, expires_at_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS stored_values (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS leases (key TEXT PRIMARY KEY, holder TEXT NOT NULL, expires_at_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS counts (key TEXT PRIMARY KEY, count INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS owners_by_expiry ON owners (expires_at_ms);
  CREATE INDEX IF NOT EXISTS claims_by_expiry ON claims (expires_at_ms);
  CREATE INDEX IF NOT EXISTS stored_values_by_expiry ON stored_values (expires_at_ms);
  CREATE INDEX IF NOT EXISTS counts_by_expiry ON counts (expires_at_ms);
  CREATE INDEX IF NOT EXISTS leases_by_expiry ON leases (expires_at_ms);
  COMMIT;
`

/** Waiting for another process's transaction blocks the event loop: longer than any of our transactions takes, well below a second. */
const busyTimeoutMs = 500
/** At startup no request waits, and processes that start together create the schema one after the other. */
const openTimeoutMs = 10_000

/**
 * Opens the file, and creates it with its directory if need be.
 * @throws an Error that names the file and the cause; its code is `ERR_STORE_FILE` or `ERR_STORE_LOCKED`
 */
export function openSqliteFile(file: string): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    createPrivateFile(file)
    db = new DatabaseSync(file, { timeout: openTimeoutMs })
    db.exec(settings)
    db.exec(schema)
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
    return db
  } catch (cause) {
    db?.close()
    throw cannotOpen(file, cause)
  }
}

/**
 * Opens a file that exists, and changes neither its mode nor its schema: for a look at a store that a gateway may have open.
 * @throws as `openSqliteFile`
 */
export function openExistingSqliteFile(file: string): DatabaseSync {
  try {
    const url = pathToFileURL(file)
    url.searchParams.set('mode', 'rw')
    return new DatabaseSync(url, { timeout: busyTimeoutMs })
  } catch (cause) {
    throw cannotOpen(file, cause)
  }
}

function cannotOpen(file: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const message = `Cannot open the store ${file}: ${reason}. DATA_DIR must be a folder in which this process may write.`
  // Another process may release its lock: the only error for which a retry can help.
  const code = /\blocked\b/.test(reason) ? 'ERR_STORE_LOCKED' : 'ERR_STORE_FILE'
  return Object.assign(new Error(message, { cause }), { code })
}

/**
 * SQLite would create the file with the mode of the umask, and gives -wal and -shm the mode of the file. An existing file must not be
 * opened here: closing it drops the locks of every other handle in this process (sqlite.org/howtocorrupt.html §2.2).
 */
function createPrivateFile(file: string) {
  try {
    writeFileSync(file, '', { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    chmodSync(file, 0o600)
  }
}
