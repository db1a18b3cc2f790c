/** What the session's cookie is called by a gateway whose `PUBLIC_URL` is this one. Browsers keep cookies by host and not by port. */
export function sessionCookie(publicUrl: string): string {
  const { protocol, port } = new URL(publicUrl)
  return protocol === 'https:' ? '__Host-grantkeeper' : `grantkeeper-${port || 80}`
}

/** What the cookies of sign-ins under way begin with. */
export const flowCookie = (publicUrl: string): string => `${sessionCookie(publicUrl)}-signin`
