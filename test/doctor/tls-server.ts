import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import type { Test } from 'tap'

type Authority = {
  /** A certificate for this host name. With negative days it has expired. */
  issue(name: string, days: number): { key: Buffer; cert: Buffer }
}

/** A certificate authority that this process trusts until the test ends, unless `isTrusted` is false. */
export function createAuthority(t: Test, { isTrusted = true } = {}): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'grantkeeper-authority-'))
  const file = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Grantkeeper test CA', '-days', '400')
  const before = getCACertificates('default')
  if (isTrusted) setDefaultCACertificates([...before, readFileSync(file('ca.pem'), 'utf8')])
  t.teardown(() => {
    if (isTrusted) setDefaultCACertificates(before)
    rmSync(folder, { recursive: true })
  })

  return {
    issue(name, days) {
      writeFileSync(file('san.cnf'), `subjectAltName=DNS:${name}`)
      openssl('req', ...newKey, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', `/CN=${name}`)
      const issuer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-extfile', 'san.cnf']
      openssl('x509', '-req', '-in', 'request.pem', ...issuer, '-days', `${days}`, '-out', 'cert.pem')
      return { key: readFileSync(file('key.pem')), cert: readFileSync(file('cert.pem')) }
    }
  }
}

/** Serves HTTPS on a free port of 127.0.0.1. @returns the port */
export async function startTlsServer(t: Test, certificate: { key: Buffer; cert: Buffer }, respond: RequestListener): Promise<number> {
  const server = createServer(certificate, respond)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
