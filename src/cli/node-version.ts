/** `engines` in package.json, of which npm only warns. */
const oldest = '22.19'

/**
 * Why this Node.js cannot run the gateway: without this, a start ends with the first function that it does not have.
 * @returns `undefined` when it can
 */
export function whyNodeIsTooOld(version: string, file: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = oldest.split('.').map(Number)
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined
  return `Grantkeeper needs Node.js ${oldest} or later, and ${file} is ${version}. Install a newer one, for example from https://nodejs.org, and try again.`
}
