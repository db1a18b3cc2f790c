import { existsSync } from 'node:fs'
import { keyFileOf, parseKeyFile } from '../config/keys.ts'
import type { DoctorContext } from './context.ts'
import { reportFileMode, statOf } from './file-mode.ts'
import type { Check, Reporter } from './finding.ts'

const names = { session: 'SESSION_KEYS', token: 'TOKEN_KEYS' } as const
const purposes = { session: 'seals cookies', token: 'seals the tokens in the store' } as const

const newKey = (name: string) => `Make a new one with ${name}="$(openssl rand -base64 32)"`

/** The key rings, and who else may read them. No key is generated. */
export function keyChecks({ keys, settings, problems, variables, isEmbedded }: DoctorContext): Check[] {
  const { production, dataDir } = settings
  const file = keyFileOf(dataDir)
  const areGenerated = !(keys.session && keys.token) && !production && existsSync(file)
  const rings = (['session', 'token'] as const).map(
    (ring): Check => ({
      area: 'keys',
      subject: names[ring],
      run(report) {
        const count = keys[ring]?.length
        // Their problems are findings of the configuration.
        if (problems.some(problem => problem.startsWith(names[ring]))) return
        if (count !== undefined)
          report.ok(`${count === 1 ? 'one key, which' : `${count} keys: all of them open, and the first`} ${purposes[ring]}`)
        else if (!production)
          report.ok(
            `not set: ${existsSync(file) ? `the key that was generated in ${file} is used` : `a start will generate a key in ${file}`}`
          )
      }
    })
  )
  return [
    ...rings,
    {
      area: 'keys',
      subject: 'SESSION_KEYS and TOKEN_KEYS',
      run(report) {
        const { session = [], token = [] } = keys
        if (session.some(key => token.some(other => other.equals(key))))
          report.warning(
            'share a key: whoever learns what seals the cookies can open the tokens in the store',
            `Use different keys. ${newKey('SESSION_KEYS')}, and put it before the shared one until old cookies have expired.`
          )
      }
    },
    {
      area: 'keys',
      subject: 'files',
      run(report) {
        if (areGenerated) {
          reportFileMode(report, { path: file, allowed: 0o600, level: 'error' })
          reportReadable(report, file)
        }
        if (isEmbedded || areGenerated) reportDirectoryMode(report, dataDir)
        for (const [name, path] of secretFiles(variables))
          reportFileMode(report.about(name), { path, allowed: 0o660, level: 'warning', name })
      }
    }
  ]
}

function reportReadable(report: Reporter, file: string): void {
  try {
    parseKeyFile(file)
  } catch (error) {
    report.error(
      `a start would fail: ${(error as Error).message.split('. ')[0]}`,
      'Restore it from a backup. Deleting it signs out all users, and what is stored cannot be opened any more.'
    )
  }
}

/** Those that hold secrets, without those that a container runtime mounts for one container: their mode says nothing. */
const secretFiles = (variables: DoctorContext['variables']): Array<[name: string, path: string]> =>
  Object.entries(variables)
    .filter((entry): entry is [string, string] => /(?:KEYS|SECRETS?|REDIS_URL)_FILE$/.test(entry[0]) && Boolean(entry[1]))
    .filter(([, path]) => !/^(?:\/var)?\/run\/secrets\//.test(path))

function reportDirectoryMode(report: Reporter, path: string): void {
  const mode = statOf(path)?.mode
  if (mode === undefined || process.platform === 'win32') return
  const about = report.about('DATA_DIR')
  const cure = `chmod 700 ${path}`
  if ((mode & 0o002) !== 0) about.error('everyone on this machine may write to the directory, and replace the store and keys in it', cure)
  else if ((mode & 0o005) !== 0) about.warning('everyone on this machine may look into the directory', cure)
  else about.ok('only its owner and group may look into the directory')
}
