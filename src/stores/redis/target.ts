import { Secret } from '../../core/secret.ts'

/** Where Redis is and how to sign in there. */
export type RedisTarget = {
  kind: 'single' | 'cluster' | 'sentinel'
  tls: boolean
  /** The server itself, some nodes of the cluster, or the sentinels. */
  hosts: ReadonlyArray<{ host: string; port: number }>
  username: string | undefined
  password: Secret | undefined
  db: number
  /** The name by which the sentinels know the master. */
  master: string | undefined
  /** The same address without user and password, for people and logs. */
  address: string
}

const defaultPorts = { single: 6379, cluster: 6379, sentinel: 26379 }

const examples = {
  single: 'redis://:password@10.0.0.1:6379/0',
  cluster: 'redis+cluster://:password@10.0.0.1:6379,10.0.0.2:6379',
  sentinel: 'redis+sentinel://:password@10.0.0.1:26379,10.0.0.2:26379/mymaster'
}

/**
 * `redis://`, `rediss://` (TLS), `redis+cluster://h:p,h:p`, `redis+sentinel://h:p,h:p/MASTER`, the latter two with TLS as `rediss+…`.
 * Before the hosts, `user:password@` or `:password@`, percent-encoded; it ends at the last @. After them `/DB`, for Sentinel `/MASTER/DB`.
 *
 * @throws TypeError that says what is wrong and shows a good address; it never repeats the text, which may hold a password.
 */
export function parseRedisUrl(text: string): RedisTarget {
  const [, secure, flavour, rest] = /^redis(s?)(|\+cluster|\+sentinel):\/\/(.*)$/s.exec(text) ?? []
  if (rest === undefined) {
    throw new TypeError(
      `A Redis address begins with redis://, rediss://, redis+cluster:// or redis+sentinel://, such as ${examples.single}`
    )
  }
  const kind = flavour === '+cluster' ? 'cluster' : flavour === '+sentinel' ? 'sentinel' : 'single'
  const wrong = (what: string) => new TypeError(`${what} A good address: ${examples[kind]}`)

  const [, userInfo, hostList = '', path = ''] = /^(?:(.*)@)?([^/]*)(?:\/(.*))?$/s.exec(rest) ?? []
  const hosts = hostList.split(',').map((host, index) => parseHost(host, defaultPorts[kind], `Host ${index + 1}`, wrong))
  if (kind === 'single' && hosts.length > 1) throw wrong('Several hosts need redis+cluster:// or redis+sentinel://.')
  const { master, db } = parsePath(path, kind, wrong)
  const address = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',')
  const tail = { single: `/${db}`, cluster: '', sentinel: `/${master}/${db}` }[kind]
  return {
    kind,
    tls: secure === 's',
    hosts,
    ...parseUserInfo(userInfo, wrong),
    db,
    master,
    address: `redis${secure}${flavour}://${address}${tail}`
  }
}

type Wrong = (what: string) => TypeError

function parseHost(text: string, defaultPort: number, which: string, wrong: Wrong) {
  const [, bracketed, plain, digits] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d+))?$/i.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined) {
    throw wrong(`${which} is not a name or an address, with or without a port.`)
  }
  const port = digits === undefined ? defaultPort : Number(digits)
  if (port < 1 || port > 65_535) throw wrong(`The port of ${which.toLowerCase()} is not between 1 and 65535.`)
  return { host, port }
}

function parseUserInfo(text: string | undefined, wrong: Wrong) {
  if (text === undefined) return { username: undefined, password: undefined }
  const [, user, password] = /^([^:]*):(.+)$/s.exec(text) ?? []
  if (user === undefined || password === undefined) throw wrong('What stands before the @ is not user:password or :password.')
  try {
    return { username: user === '' ? undefined : decodeURIComponent(user), password: new Secret(decodeURIComponent(password)) }
  } catch {
    throw wrong('The user or the password holds a % that is not followed by two hexadecimal digits; write % as %25.')
  }
}

function parsePath(path: string, kind: RedisTarget['kind'], wrong: Wrong): { master: string | undefined; db: number } {
  const parts = path === '' ? [] : path.split('/')
  const master = kind === 'sentinel' ? parts.shift() : undefined
  if (kind === 'sentinel' && !/^[\w.-]+$/.test(master ?? ''))
    throw wrong('The name of the master is missing after the hosts, or has other than letters, digits, dots, - and _.')
  const [db = '0', ...more] = parts
  if (!/^\d{1,5}$/.test(db) || more.length > 0) throw wrong('What follows the hosts is not the number of a database.')
  if (kind === 'cluster' && Number(db) !== 0) throw wrong('A Redis Cluster has database 0 only.')
  return { master, db: Number(db) }
}
