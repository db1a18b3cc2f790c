import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { timestamp } from '../../src/core/connections/view.ts'
import type { Services } from '../../src/services.ts'

/** A provider that rejects the operator's client fails every renewal: that is logged as an error, but not at every failure. */
const clientErrorEveryMs = 60_000

/** Logs the gateway's events for operators. Never a provider's own sentence: it may repeat the token. */
async function eventLog({ log }: FastifyInstance, { events, clock }: Pick<Services, 'events' | 'clock'>) {
  const clientErrors = new Map<string, { loggedAtMs: number; failures: number }>()

  function logClientRejected(provider: string, error: string | undefined): void {
    const last = clientErrors.get(provider)
    if (last && clock.now() - last.loggedAtMs < clientErrorEveryMs) {
      last.failures++
      return
    }
    log.error(
      { provider, error, ...(last?.failures && { failuresSinceLogged: last.failures }) },
      `${provider} rejects this gateway's OAuth client: no connection to it can be renewed until its client id and secret are corrected`
    )
    clientErrors.set(provider, { loggedAtMs: clock.now(), failures: 0 })
  }

  events.subscribe('connection.ended', ({ provider, method, reason, response, status }) =>
    log.warn({ provider, method, reason, status, ...response }, 'connection ended: the user has to connect again')
  )
  events.subscribe('token.read', ({ provider, serviceKey }) => log.info({ provider, serviceKey }, 'an access token was handed out'))
  events.subscribe('check.failed', ({ provider, code }) =>
    log.warn({ provider, code }, 'it could not be checked whether a refused connection has ended')
  )
  events.subscribe('account-lookup.failed', ({ provider, status, code }) =>
    log.warn({ provider, status, code }, 'which account was connected could not be looked up: the connection names none')
  )
  events.subscribe('renewal.failed', ({ provider, message, response, isClientRejected, attempt, retryInMs }) => {
    const nextTryAt = timestamp(clock.now() + retryInMs)
    log.warn({ provider, ...response, attempt, retryInMs, nextTryAt }, `renewal failed: ${message}`)
    if (isClientRejected) logClientRejected(provider, response.error)
  })
  events.subscribe('renewal.value-ignored', ({ provider, value }) =>
    log.warn(
      { provider, value },
      `a renewal brought ${provider}’s ${value} in a form that its definition does not allow: the known one stays in use`
    )
  )
  events.subscribe('renewal.lost', ({ provider }) => log.error({ provider }, 'a renewed grant could not be saved and is lost'))
  events.subscribe('renewal.abandoned', ({ provider }) =>
    log.error({ provider }, 'shutdown during a token request: a refresh token that the provider rotated for it is lost')
  )
  events.subscribe('revocation.failed', ({ provider, status, code, message, nextTryMs }) => {
    const facts = { provider, status, code, reason: message }
    if (nextTryMs === undefined) log.error(facts, 'a grant could not be revoked and is given up: revoke it at the provider')
    else log.warn({ ...facts, nextTryInSeconds: nextTryMs / 1000 }, 'a grant could not be revoked; it will be retried')
  })
  events.subscribe('issuer.unavailable', ({ issuer, message, code, hasKeys }) => {
    const facts = { issuer, code, reason: message }
    if (hasKeys) log.warn(facts, 'the identity provider could not be asked: its keys and addresses that are known stay in use')
    else log.error(facts, 'the identity provider could not be asked: nobody can sign in and no bearer token can be verified')
  })
  events.subscribe('issuer.available', ({ issuer }) => log.info({ issuer }, 'the identity provider could be asked again'))
  events.subscribe('rate-limit.unsaved', ({ provider, code }) => log.warn({ provider, code }, 'a rate limit could not be stored'))
  events.subscribe('sign-in.unsaved', ({ provider, code }) => log.warn({ provider, code }, 'the outcome of a sign-in could not be saved'))
  events.subscribe('cleanup.failed', ({ code }) => log.warn({ code }, 'what a lost response left behind could not be deleted'))
}

export default fp(eventLog, { name: 'event-log' })
