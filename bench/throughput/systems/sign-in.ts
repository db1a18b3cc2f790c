/** Signs people in at a system that has a `/login` of its own. @returns a `Cookie` header a session */
export async function signInAll(login: string, sessions: number): Promise<string[]> {
  const cookies: string[] = []
  for (let i = 0; i < sessions; i++) {
    const response = await fetch(login, { method: 'POST' })
    await response.body?.cancel()
    const cookie = cookieHeader(response.headers.getSetCookie())
    if (!response.ok || cookie === '') throw new Error(`${login} gave no session: ${response.status}`)
    cookies.push(cookie)
  }
  return cookies
}

/** What `Set-Cookie` lines set, as a `Cookie` header. */
export const cookieHeader = (lines: readonly string[]): string => lines.map(line => line.split(';')[0]).join('; ')
