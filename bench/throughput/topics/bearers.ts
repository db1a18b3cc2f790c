import { alternate } from '../rounds.ts'
import { startGrantkeeper } from '../systems/grantkeeper.ts'
import type { Topic } from '../topic.ts'
import { subject } from './subject.ts'

const users = 100

/** What a request with a known bearer token costs, beside one with a known session cookie. Two of each show the noise. */
export const bearers: Topic = {
  name: 'bearers',
  async run(inWorld, plan) {
    const rows = await alternate(inWorld, plan, async world => {
      const start = (hasBearers: boolean) => startGrantkeeper(world, users, { store: 'Redis', hasBearers })
      const [cookie, bearer, cookieAgain, bearerAgain] = [await start(false), await start(true), await start(false), await start(true)]
      return [
        subject('cookie', 'session cookie', cookie, users),
        subject('bearer', 'bearer token', bearer, users),
        subject('cookie-again', 'session cookie, a second process', cookieAgain, users),
        subject('bearer-again', 'bearer token, a second process', bearerAgain, users)
      ]
    })
    return { tables: [{ name: 'bearers', title: 'Grantkeeper, Redis: who a request acts for', base: 'cookie', compares: 'rate', rows }] }
  }
}
