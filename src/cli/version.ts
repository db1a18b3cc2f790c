import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'

/** The version of the package to which this file belongs, whether it is a source or compiled. */
export function readVersion(): string {
  const file = findPackageJSON(import.meta.url)
  if (file === undefined) throw new Error('the package.json of Grantkeeper is missing. Install it again.')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
