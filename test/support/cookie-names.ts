/** The name of a gateway's session cookie. It contains the port, because browsers store cookies by host and not by port. */
export function sessionCookie(publicUrl: string): string {
  const { protocol, port } = new URL(publicUrl)
  return protocol === 'https:' ? '__Host-grantkeeper' : `grantkeeper-${port || 80}`
}

/** The prefix of the cookies of sign-ins in flight. */
export const flowCookie = (publicUrl: string): string => `${sessionCookie(publicUrl)}-signin`
