import { ConfigError } from '../config/environment.ts'
import { hasCode } from '../core/errors.ts'

/** sysexits.h: EX_CONFIG. */
const exitConfig = 78

/** What a process that cannot do its work says to whoever started it. */
export function startupErrorMessage(
  error: Error & { code?: string; port?: number; address?: string; hostname?: string; syscall?: string }
): string {
  if (error.code === 'EADDRINUSE') return `Port ${error.port} is taken. Set another, for example PORT=3001.`
  if (error.syscall === 'listen' && error.code === 'EACCES')
    return `Port ${error.port} may not be taken by this user. Set one above 1023, for example PORT=3000.`
  if (error.syscall === 'listen' || error.syscall === 'getaddrinfo')
    return `HOST: ${error.address ?? error.hostname} cannot be listened on (${error.code}): it is no address of this machine. Set one that is, for example HOST=127.0.0.1.`
  if (error instanceof ConfigError || /^ERR_STORE_/.test(error.code ?? '')) return error.message
  if (hasCode(error, 'store_unavailable') && error.cause instanceof Error) return `${error.message} ${error.cause.message}`
  return error.stack ?? String(error)
}

export const exitCode = (error: Error & { code?: string }): number =>
  error instanceof ConfigError || error.code === 'ERR_STORE_FILE' ? exitConfig : 1
