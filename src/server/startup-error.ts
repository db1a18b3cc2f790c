import { ConfigError } from '../config/environment.ts'
import { hasCode } from '../core/errors.ts'
import { DefinitionError } from '../core/provider/define-provider.ts'

/** EX_CONFIG of sysexits.h. */
const configErrorExitCode = 78

/** What to print when a start fails: a sentence for the operator, or the stack of an unexpected error. */
export function startupErrorMessage(
  error: Error & { code?: string; port?: number; address?: string; hostname?: string; syscall?: string }
): string {
  if (error.code === 'EADDRINUSE') return `Port ${error.port} is already in use. Set another, for example PORT=3001.`
  if (error.syscall === 'listen' && error.code === 'EACCES')
    return `Port ${error.port} cannot be used without more privileges. Set one above 1023, for example PORT=3000.`
  if (error.syscall === 'listen' || error.syscall === 'getaddrinfo')
    return `HOST: cannot listen on ${error.address ?? error.hostname} (${error.code}): it is not an address of this machine. Set one that is, for example HOST=127.0.0.1.`
  if (error instanceof DefinitionError) return error.message
  if (error instanceof ConfigError || /^ERR_STORE_/.test(error.code ?? '')) return error.message
  if (hasCode(error, 'store_unavailable') && error.cause instanceof Error) return `${error.message} ${error.cause.message}`
  return error.stack ?? String(error)
}

export const exitCode = (error: Error & { code?: string }): number =>
  error instanceof ConfigError || error instanceof DefinitionError || error.code === 'ERR_STORE_FILE' ? configErrorExitCode : 1
