import { ConfigError } from './config/environment.ts'
import { hasCode } from './core/errors.ts'

/** sysexits.h: EX_CONFIG. */
const exitConfig = 78

/** What a process that cannot do its work says to whoever started it. */
export function messageOf(error: Error & { code?: string; port?: number }): string {
  if (error.code === 'EADDRINUSE') return `Port ${error.port} is taken. Set another, for example PORT=3001.`
  if (error instanceof ConfigError) return error.message
  if (hasCode(error, 'store_unavailable') && error.cause instanceof Error) return `${error.message} ${error.cause.message}`
  return error.stack ?? String(error)
}

export const exitCodeOf = (error: Error): number => (error instanceof ConfigError ? exitConfig : 1)
