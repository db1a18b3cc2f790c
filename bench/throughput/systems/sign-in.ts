/** Creates sessions at a system with its own `/login`. @returns a `Cookie` header per session */
export async function signInAll(login: string, sessions: number): Promise<string[]> {
  const cookies: string[] = []
  for (let i = 0; i < sessions; i++) {
    const response = await fetch(login, { method: 'POST' })
    await response.body?.cancel()
    const cookie = cookieHeader(response.headers.getSetCookie())
    if (!response.ok || cookie === '') throw new Error(`${login} created no session: ${response.status}`)
    cookies.push(cookie)
  }
  return cookies
}

/** Turns `Set-Cookie` lines into a `Cookie` header. */
export const cookieHeader = (lines: readonly string[]): string => lines.map(line => line.split(';')[0]).join('; ')
