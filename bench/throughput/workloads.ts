import { sizes } from './upstream.ts'
import type { Load } from './wrk.ts'

/** A request that every system serves. */
export type Workload = Pick<Load, 'method' | 'bodyBytes' | 'responseBytes'> & {
  readonly name: string
  readonly title: string
  readonly path: string
  readonly sessions: number
}

const small = { path: '/small', method: 'GET', bodyBytes: 0, responseBytes: sizes.small } as const

export const maxSessions = 1000

export const workloads: readonly Workload[] = [
  { name: 'get', title: '1 kB GET, one hot session', ...small, sessions: 1 },
  { name: 'post', title: '64 kB POST', path: '/upload', method: 'POST', bodyBytes: sizes.upload, responseBytes: 16, sessions: 1 },
  { name: 'stream', title: '1 MB response', path: '/large', method: 'GET', bodyBytes: 0, responseBytes: sizes.large, sessions: 1 },
  { name: 'sessions', title: '1 kB GET, 1,000 hot sessions in turn', ...small, sessions: maxSessions }
]

/** The default workload of topics. */
export const get = workloads[0] as Workload

export const loadOf = (work: Workload, { base, headers, credentials }: Pick<Load, 'headers' | 'credentials'> & { base: string }): Load => ({
  url: base + work.path,
  method: work.method,
  bodyBytes: work.bodyBytes,
  responseBytes: work.responseBytes,
  headers,
  credentials: credentials.slice(0, work.sessions)
})
