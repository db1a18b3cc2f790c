import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { createRequestIds } from '../../plugins/hooks/request-ids.ts'
import { readOptions } from '../config/options.ts'
import { GatewayError, stackFrames } from '../core/errors.ts'
import { type Events, eventNames, type GatewayEvents } from '../core/events.ts'
import type { Identify } from '../core/users/identify.ts'
import { nearestName } from '../core/util/nearest-name.ts'
import { openGateway } from '../open-gateway.ts'
import { pollUntil, waitForStore } from '../stores/wait-for-store.ts'
import { createApi } from './api.ts'
import { createHostRequests, mount } from './mount.ts'
import type { EventHooks, Grantkeeper, GrantkeeperOptions } from './types.ts'

declare module 'fastify' {
  interface FastifyInstance {
    grantkeeper: Grantkeeper
  }
}

/** A start waits for the store for so long. */
const storeWaitMs = 2_000
const endEventStreamsEveryMs = 50
const otherOptions = ['prefix', 'identify', 'loginUrl', 'hooks']
/** As in `PUBLIC_URL`, of which it becomes a part. */
const prefixPattern = /^(\/(?!\.{1,2}(\/|$))[\w.~-]+)+$/

/**
 * The gateway below a prefix of an application. It is an instance of its own, to which the application's routes pass requests: its hooks,
 * parsers, error handler and decorators do not meet the application's.
 */
async function grantkeeper(app: FastifyInstance, options: GrantkeeperOptions): Promise<void> {
  const prefix = typeof options.prefix === 'string' ? options.prefix.replace(/\/+$/, '') : ''
  const mountPath = app.prefix.replace(/\/+$/, '') + prefix
  const { config, redisClient } = readOptions(options, {
    prefix: mountPath,
    nodeEnv: process.env.NODE_ENV,
    otherOptions,
    problems: problemsOf(app, options, prefix)
  })
  for (const warning of config.warnings) app.log.warn(warning)

  const requests = createHostRequests()
  const loginUrl = options.loginUrl === undefined ? undefined : new URL(options.loginUrl, config.publicOrigin.origin).href
  const gateway = await openGateway(config, {
    logger: app.log,
    host: requests,
    mountPath,
    redisClient,
    ...(options.identify && { identify: identifyIn(app, options.identify, requests) }),
    ...(loginUrl !== undefined && { loginUrl })
  })
  const { services, store, upstream } = gateway
  subscribe(app, services.events, options.hooks ?? {})
  const close = async () => {
    await gateway.app.close()
    await upstream.close()
  }
  try {
    await mount(app, gateway.app, prefix)
  } catch (error) {
    // Open connections would keep the process of a failed start alive.
    await close()
    throw error
  }

  const nextId = createRequestIds()
  const api = createApi({
    ...services,
    nextId,
    onUnexpected: (error, requestId) => app.log.error({ requestId, stack: stackOf(error) }, error.message)
  })
  decorate(app, mountPath, api)

  app.addHook('onReady', async () => {
    // Most stores connect in milliseconds: the first requests find it connected.
    await pollUntil(store.ping, storeWaitMs)
    await waitForStore(store, app.log)
  })
  let ending: NodeJS.Timeout | undefined
  // Before the application waits for its connections to end: an event stream does not end by itself.
  app.addHook('preClose', async () => {
    gateway.startShutdown()
    upstream.endEventStreams()
    ending = setInterval(() => upstream.endEventStreams(), endEventStreamsEveryMs).unref()
  })
  app.addHook('onClose', async () => {
    clearInterval(ending)
    await close()
  })
}

/** Of the options that are not settings of the environment. */
function problemsOf(app: FastifyInstance, options: GrantkeeperOptions, prefix: string): string[] {
  const problems: string[] = []
  if (!prefixPattern.test(prefix))
    problems.push("prefix is missing or no path: every route of the gateway is below it, for example prefix: '/integrations'.")
  if ((app.initialConfig as { http2?: boolean }).http2)
    problems.push('The application speaks HTTP/2 itself, which this plugin does not: let the proxy in front of it speak HTTP/2.')
  const { identify, loginUrl, hooks, login } = options
  if (identify !== undefined && typeof identify !== 'function')
    problems.push(
      "identify must be a function of the request, which returns the user's id, for example identify: request => request.user?.id."
    )
  if (identify && login)
    problems.push('identify and login are both set: users sign in either to your application or here. Remove one of them.')
  if (loginUrl !== undefined && !(typeof loginUrl === 'string' && URL.canParse(loginUrl, 'https://app.example.com')))
    problems.push("loginUrl must be a URL, for example loginUrl: '/login'.")
  else if (loginUrl !== undefined && !identify)
    problems.push('loginUrl is where your application signs users in, and needs identify, which says who is signed in.')
  if (hooks !== undefined && (typeof hooks !== 'object' || hooks === null))
    problems.push("hooks must be an object of listeners, for example hooks: { 'connection.ended': event => … }.")
  else
    for (const [name, listener] of Object.entries(hooks ?? {}))
      if (!(eventNames as string[]).includes(name))
        problems.push(`hooks: there is no event ${name}; ${nearestName(name, eventNames)} is probably meant.`)
      else if (typeof listener !== 'function') problems.push(`hooks: the listener of ${name} must be a function.`)
  return problems
}

function identifyIn(
  app: FastifyInstance,
  identify: NonNullable<GrantkeeperOptions['identify']>,
  requests: ReturnType<typeof createHostRequests>
): Identify {
  return async raw => {
    try {
      return await identify(requests.of(raw))
    } catch (cause) {
      app.log.error({ err: cause }, 'the option identify of grantkeeper failed')
      throw new GatewayError('internal_error', 'The application could not say who is signed in.', { cause })
    }
  }
}

/** Listeners are the application's: their errors must not end what they are told of. */
function subscribe(app: FastifyInstance, events: Events, hooks: EventHooks): void {
  for (const name of Object.keys(hooks) as Array<keyof GatewayEvents>) {
    const failed = (err: unknown) => app.log.error({ err, event: name }, 'a hook of grantkeeper failed')
    events.subscribe(name, event => {
      try {
        const listener = hooks[name] as ((event: unknown) => unknown) | undefined
        Promise.resolve(listener?.(event)).catch(failed)
      } catch (error) {
        failed(error)
      }
    })
  }
}

const byPrefix = new WeakMap<Grantkeeper, Map<string, Grantkeeper>>()

/** The first registration is `app.grantkeeper`; `at` leads to the others. */
function decorate(app: FastifyInstance, mountPath: string, api: Omit<Grantkeeper, 'at'>): void {
  const first = app.hasDecorator('grantkeeper') ? app.grantkeeper : undefined
  const all = (first && byPrefix.get(first)) ?? new Map<string, Grantkeeper>()
  const registered: Grantkeeper = Object.freeze({
    ...api,
    at: (path: string) => {
      const found = all.get(path)
      if (!found) throw new TypeError(`grantkeeper is not registered with the prefix ${path}, but with ${[...all.keys()].join(', ')}.`)
      return found
    }
  })
  all.set(mountPath, registered)
  byPrefix.set(registered, all)
  if (!first) app.decorate('grantkeeper', registered)
}

const stackOf = ({ cause }: Error): string[] | undefined => (cause instanceof Error ? stackFrames(cause) : undefined)

export default fp(grantkeeper as FastifyPluginAsync<GrantkeeperOptions>, { fastify: '5.x', name: 'grantkeeper' })
