import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Certificates = { ca: string; cert: string; key: string }

/** Creates a certificate authority in the folder and a certificate for 127.0.0.1 by it. @returns the paths of the files */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  writeFileSync(file('san.cnf'), 'subjectAltName=IP:127.0.0.1')
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Grantkeeper test CA', '-days', '2')
  openssl('req', ...newKey, '-keyout', 'redis.key', '-out', 'redis.csr', '-subj', '/CN=redis')
  openssl('x509', '-req', '-in', 'redis.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '2', '-extfile', 'san.cnf', '-out', 'redis.pem')
  return { ca: file('ca.pem'), cert: file('redis.pem'), key: file('redis.key') }
}
