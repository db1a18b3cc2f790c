/**
 * Loads the sandbox. Its OAuth server, oidc-provider, is an optional dependency: whoever has vendors to talk to can do without.
 * @throws {Error} with code `ERR_SANDBOX_NOT_INSTALLED`, saying what to install
 */
export async function loadSandbox(): Promise<typeof import('./sandbox.ts')> {
  try {
    return await import('./sandbox.ts')
  } catch (error) {
    if (!isMissing(error)) throw error
    const message =
      'The sandbox, which plays providers where none is configured, needs the package oidc-provider, and it is not installed. Install it with npm install --include=optional, or configure a provider, for example PRODUCTBOARD_CLIENT_ID=abc123 and PRODUCTBOARD_CLIENT_SECRET.'
    throw Object.assign(new Error(message), { code: 'ERR_SANDBOX_NOT_INSTALLED' })
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND' && error.message.includes("'oidc-provider'")
