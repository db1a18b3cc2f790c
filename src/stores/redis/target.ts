import { Secret } from '../../core/secret.ts'

/** Where Redis is, and the credentials for it. */
export type RedisTarget = {
  kind: 'single' | 'cluster' | 'sentinel'
  tls: boolean
  /** The server, some nodes of the Cluster, or the sentinels. */
  hosts: ReadonlyArray<{ host: string; port: number }>
  username: string | undefined
  password: Secret | undefined
  db: number
  /** The sentinels' name of the master. */
  master: string | undefined
  /** The URL with all ports and without user and password, for messages and logs. */
  displayUrl: string
}

/**
 * An application's client of ioredis, single, with Sentinel or of a Cluster. It says where Redis is; connections of our own are opened to it.
 * By its members, since it may be of another copy of ioredis.
 */
export type RedisClient = {
  readonly isCluster: boolean
  readonly options: object
  duplicate(...args: never[]): unknown
}

const defaultPorts = { single: 6379, cluster: 6379, sentinel: 26379 }

const examples = {
  single: 'redis://:password@10.0.0.1:6379/0',
  cluster: 'redis+cluster://:password@10.0.0.1:6379,10.0.0.2:6379',
  sentinel: 'redis+sentinel://:password@10.0.0.1:26379,10.0.0.2:26379/mymaster'
}

/**
 * Parses `redis://`, `rediss://` (TLS), `redis+cluster://h:p,h:p` and `redis+sentinel://h:p,h:p/MASTER`, the latter two with TLS as
 * `rediss+…`. The hosts may be preceded by `user:password@` or `:password@`, percent-encoded and up to the last @, and followed by `/DB`
 * or, with Sentinel, `/MASTER/DB`.
 *
 * @throws {TypeError} that names the mistake and shows a valid URL. It never repeats the text, which may contain a password.
 */
export function parseRedisUrl(text: string): RedisTarget {
  const [, secure, topology, rest] = /^redis(s?)(|\+cluster|\+sentinel):\/\/(.*)$/s.exec(text) ?? []
  if (rest === undefined) {
    throw new TypeError(`A Redis URL begins with redis://, rediss://, redis+cluster:// or redis+sentinel://, such as ${examples.single}`)
  }
  const kind = topology === '+cluster' ? 'cluster' : topology === '+sentinel' ? 'sentinel' : 'single'
  const malformed = (problem: string) => new TypeError(`${problem} Use a URL such as ${examples[kind]}`)

  const [, userInfo, hostList = '', rawPath = ''] = /^(?:(.*)@)?([^/]*)(?:\/(.*))?$/s.exec(rest) ?? []
  const hosts = hostList.split(',').map((host, index) => parseHost(host, defaultPorts[kind], `Host ${index + 1}`, malformed))
  if (kind === 'single' && hosts.length > 1) throw malformed('Several hosts need redis+cluster:// or redis+sentinel://.')
  const { master, db } = parsePath(rawPath, kind, malformed)
  const hostsAndPorts = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',')
  const path = { single: `/${db}`, cluster: '', sentinel: `/${master}/${db}` }[kind]
  return {
    kind,
    tls: secure === 's',
    hosts,
    ...parseUserInfo(userInfo, malformed),
    db,
    master,
    displayUrl: `redis${secure}${topology}://${hostsAndPorts}${path}`
  }
}

type ErrorFactory = (problem: string) => TypeError

function parseHost(text: string, defaultPort: number, label: string, malformed: ErrorFactory) {
  const [, bracketed, plain, digits] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d+))?$/i.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined) {
    throw malformed(`${label} is not a host name or IP address, with or without a port.`)
  }
  const port = digits === undefined ? defaultPort : Number(digits)
  if (port < 1 || port > 65_535) throw malformed(`The port of ${label.toLowerCase()} is not between 1 and 65535.`)
  return { host, port }
}

function parseUserInfo(text: string | undefined, malformed: ErrorFactory) {
  if (text === undefined) return { username: undefined, password: undefined }
  const [, user, password] = /^([^:]*):(.+)$/s.exec(text) ?? []
  if (user === undefined || password === undefined) throw malformed('The part before the @ is not user:password or :password.')
  try {
    return { username: user === '' ? undefined : decodeURIComponent(user), password: new Secret(decodeURIComponent(password)) }
  } catch {
    throw malformed('The user or the password contains a % that is not followed by two hexadecimal digits; write % as %25.')
  }
}

function parsePath(path: string, kind: RedisTarget['kind'], malformed: ErrorFactory): { master: string | undefined; db: number } {
  const parts = path === '' ? [] : path.split('/')
  const master = kind === 'sentinel' ? parts.shift() : undefined
  if (kind === 'sentinel' && !/^[\w.-]+$/.test(master ?? ''))
    throw malformed('The name of the master is missing after the hosts, or contains other characters than letters, digits, dots, - and _.')
  const [db = '0', ...more] = parts
  if (!/^\d{1,5}$/.test(db) || more.length > 0) throw malformed('The part after the hosts is not the number of a database.')
  if (kind === 'cluster' && Number(db) !== 0) throw malformed('A Redis Cluster has database 0 only.')
  return { master, db: Number(db) }
}
