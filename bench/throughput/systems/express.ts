import type { System } from '../system.ts'
import { startProgram } from './program.ts'
import { signInAll } from './sign-in.ts'

const express = (name: string, title: string, file: string): System => ({
  name,
  title,
  needs: ['npm peers'],
  setUp: 'NODE_ENV=production, sessions in Redis as connect-redis advises, keep-alive agent, no log (the default)',
  authenticates: true,
  async start(world, sessions) {
    const { origin, ...running } = await startProgram(world, file)
    return { ...running, headers: {}, credentials: await signInAll(`${origin}/login`, sessions) }
  }
})

/** Proxies built on Express with its usual packages. */
export const expressStacks: readonly System[] = [
  express('express', 'Express + express-session + connect-redis + http-proxy-middleware', 'express-proxy.js'),
  express('express-axios', 'Express + express-session + connect-redis + axios', 'express-axios.js')
]
