import { sizes } from './upstream.ts'
import type { Load } from './wrk.ts'

/** What every system is asked to do. */
export type Work = Pick<Load, 'method' | 'bodyBytes' | 'answerBytes'> & {
  readonly name: string
  readonly title: string
  readonly path: string
  readonly sessions: number
}

const small = { path: '/small', method: 'GET', bodyBytes: 0, answerBytes: sizes.small } as const

export const maxSessions = 1000

export const works: readonly Work[] = [
  { name: 'get', title: '1 kB GET, one hot session', ...small, sessions: 1 },
  { name: 'post', title: '64 kB POST', path: '/upload', method: 'POST', bodyBytes: sizes.upload, answerBytes: 16, sessions: 1 },
  { name: 'stream', title: '1 MB answer', path: '/large', method: 'GET', bodyBytes: 0, answerBytes: sizes.large, sessions: 1 },
  { name: 'sessions', title: '1 kB GET, 1,000 hot sessions in turn', ...small, sessions: maxSessions }
]

/** The usual request. */
export const get = works[0] as Work

export const loadOf = (work: Work, { base, headers, cookies }: Pick<Load, 'headers' | 'cookies'> & { base: string }): Load => ({
  url: base + work.path,
  method: work.method,
  bodyBytes: work.bodyBytes,
  answerBytes: work.answerBytes,
  headers,
  cookies: cookies.slice(0, work.sessions)
})
