import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Environment } from '../config/environment.ts'
import { GatewayError } from '../core/errors.ts'
import type { Clock, LookupFor } from '../core/ports.ts'
import type { Reporter } from './finding.ts'

const timeoutMs = 4_000
const day = 24 * 60 * 60_000
/** Certificates that are valid for six days are renewed three days before they expire. */
const soonMs = 3 * day

type OriginOptions = {
  readonly lookupFor: LookupFor
  readonly clock: Clock
  readonly variables: Environment
  readonly signal: AbortSignal
  /** The variable with which the operator sets this origin. */
  readonly variable: string
}

/** Looks up the host of an origin, connects and verifies its certificate. Nothing is requested. @returns whether that succeeds */
export async function reportOrigin(report: Reporter, origin: string, options: OriginOptions): Promise<boolean> {
  try {
    const validToMs = await connect(origin, options)
    if (validToMs === undefined) report.ok('can be reached, without TLS')
    else reportValidity(report, validToMs - options.clock.now())
    return true
  } catch (error) {
    reportFailure(report, codeOf(error), options)
    return false
  }
}

function reportValidity(report: Reporter, leftMs: number): void {
  const days = Math.floor(leftMs / day)
  const text = `can be reached, and its certificate is valid for ${days === 1 ? 'one more day' : `${days} more days`}`
  if (leftMs >= soonMs) report.ok(text)
  else report.warning(text, 'Whoever runs the server must renew it before: tell them, if they do not know.')
}

/** @returns when the certificate expires; `undefined` without TLS */
async function connect(origin: string, { lookupFor, signal }: OriginOptions): Promise<number | undefined> {
  const { protocol, hostname, port } = new URL(origin)
  const isTls = protocol === 'https:'
  const host = hostname.replace(/^\[|\]$/g, '')
  // Throws for an IP address that the gateway would not call.
  const lookup = lookupFor(origin)
  const options = { host, port: Number(port) || (isTls ? 443 : 80), lookup }
  const socket: Socket = isTls ? connectTls({ ...options, ...(isIP(host) === 0 && { servername: host }) }) : connectTcp(options)
  const destroy = () => socket.destroy(Object.assign(new Error('aborted'), { code: 'ETIMEDOUT' }))
  signal.addEventListener('abort', destroy)
  const timer = setTimeout(destroy, timeoutMs)
  try {
    return await new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on(isTls ? 'secureConnect' : 'connect', () =>
        resolve(isTls ? Date.parse((socket as TLSSocket).getPeerCertificate().valid_to) : undefined)
      )
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', destroy)
    socket.destroy()
  }
}

/** That of a system error, also where the lookup has refused a private address. */
function codeOf(error: unknown): string {
  const { code } = (error instanceof GatewayError ? error.cause : error) as NodeJS.ErrnoException
  return code ?? 'unknown'
}

/** What is certain is an error. What may lie at the network in between is a warning. */
export function reportFailure(
  report: Reporter,
  code: string,
  { variables, variable }: Pick<OriginOptions, 'variables' | 'variable'>
): void {
  const isSet = variables[variable] || variables[`${variable}_FILE`]
  const correct = isSet ? `Correct ${variable}.` : `If it has moved, set ${variable}.`
  const proxy = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].find(name => variables[name])
  const isBehindProxy = proxy !== undefined && /^(?:ENOTFOUND|ECONNREFUSED)$/.test(code)
  if (code === 'ERR_ADDRESS_NOT_PUBLIC')
    report.error(
      'is at an IP address that is not public, and nothing is sent there',
      `Correct the DNS. If it is intended, name this origin in ${variable}.`
    )
  else if (code === 'ENOTFOUND' && !isBehindProxy)
    report.error(`has no address in the DNS (${code})`, `${correct} Otherwise look at the DNS of this machine.`)
  else if (code === 'ECONNREFUSED' && !isBehindProxy) report.error(`refuses connections (${code})`, `Start the server. ${correct}`)
  else if (code === 'CERT_HAS_EXPIRED')
    report.error(
      'has a certificate that has expired',
      'Whoever runs the server must renew it. If it is valid elsewhere, look at the clock of this machine.'
    )
  else if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    report.error('has a certificate for another host name', `${correct} The name must be one of the certificate.`)
  else if (/CERT|UNABLE_TO/.test(code))
    report.error(
      `has a certificate that this machine does not trust (${code})`,
      'For an authority of your own set NODE_EXTRA_CA_CERTS=/path/ca.pem. Otherwise something in between reads along.'
    )
  else if (/SSL|EPROTO/.test(code)) report.error(`does not speak TLS (${code})`, `Use http:// if that is intended. ${correct}`)
  else
    report.warning(
      `cannot be reached from here (${code})`,
      `Allow connections from this machine to it (firewall, DNS), and run the check again.${proxy === undefined ? '' : ` ${proxy} is set, and Grantkeeper does not use it.`}`
    )
}
