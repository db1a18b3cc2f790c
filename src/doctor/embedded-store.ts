import { dirname, resolve } from 'node:path'
import { openExistingSqliteFile } from '../stores/sqlite/file.ts'
import { sqliteFileIn } from '../stores/sqlite/store.ts'
import type { DoctorContext } from './context.ts'
import { reportFileMode, statOf } from './file-mode.ts'
import type { Check, Reporter } from './finding.ts'

const mebibyte = 1024 * 1024
const lowSpaceBytes = 500 * mebibyte
const noSpaceBytes = 10 * mebibyte

/** `f_type` of statfs(2): locks of SQLite do not work between machines. */
const networkFileSystems = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x01161970, 'GFS2']
])
/** These end with the container or the machine's next start. */
const volatileFileSystems = new Map([
  [0x794c7630, 'the layer of a container (overlayfs)'],
  [0x01021994, 'the memory (tmpfs)']
])

/** The SQLite file in `DATA_DIR` and the file system below it. Neither is created. */
export const embeddedStoreCheck = ({ settings, problems, statfs }: DoctorContext): Check => {
  const file = sqliteFileIn(settings.dataDir)
  return {
    area: 'store',
    subject: `SQLite file ${file}`,
    run(report) {
      // That the directory cannot be used is a finding of the configuration.
      if (problems.some(problem => problem.startsWith('DATA_DIR'))) return
      if (statOf(file) === undefined) report.ok('does not exist yet: the first start creates it')
      else {
        reportFileMode(report, { path: file, allowed: 0o600, level: 'error' })
        reportWritable(report, file)
      }
      reportFileSystem(report, existingParent(file), { production: settings.production, statfs })
    }
  }
}

function reportWritable(report: Reporter, file: string): void {
  let db: ReturnType<typeof openExistingSqliteFile> | undefined
  try {
    db = openExistingSqliteFile(file)
    // Takes the write lock and writes nothing. A start creates the tables that are missing.
    db.exec('BEGIN IMMEDIATE; SELECT count(*) FROM sqlite_schema; ROLLBACK')
    report.ok('can be read and written')
  } catch (error) {
    const { message } = error as Error
    if (/\blocked\b/.test(message))
      report.warning('is locked by another process', 'Run the check again. If that repeats, end what holds it: lsof shows the process.')
    else
      report.error(
        `cannot be used: ${message}`,
        'Make it writable for the user of the gateway, and restore it from a backup if it is damaged. Never run two copies.'
      )
  } finally {
    db?.close()
  }
}

type FileSystemOptions = Pick<DoctorContext, 'statfs'> & { readonly production: boolean }

function reportFileSystem(report: Reporter, path: string, { production, statfs }: FileSystemOptions): void {
  const { type, bavail, bsize } = statfs(path)
  const network = networkFileSystems.get(type)
  const transient = volatileFileSystems.get(type)
  if (network !== undefined)
    report.warning(
      `is on a network file system (${network}), on which locks may fail and the file be damaged`,
      'Set DATA_DIR to a local disk, or use Redis (REDIS_URL).'
    )
  if (production && transient !== undefined)
    report.warning(`is in ${transient} and ends with it: all users then have to connect again`, 'Set DATA_DIR to a directory on a volume.')
  const freeBytes = bavail * bsize
  const free = `${Math.floor(freeBytes / mebibyte).toLocaleString('en-US')} MiB are free on its disk`
  if (freeBytes < noSpaceBytes) report.error(`${free}: writes will fail`, 'Free disk space.')
  else if (freeBytes < lowSpaceBytes) report.warning(free, 'Free disk space before writes fail.')
  else report.ok(free)
}

function existingParent(path: string): string {
  const parent = dirname(resolve(path))
  return statOf(parent) === undefined && parent !== dirname(parent) ? existingParent(parent) : parent
}
