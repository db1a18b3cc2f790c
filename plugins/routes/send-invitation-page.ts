import type { FastifyReply } from 'fastify'
import type { GatewayError } from '../../src/core/errors.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import type { Invitation } from '../../src/core/vault/invitations.ts'
import { invitationPage } from '../../src/pages/invitation-page.ts'
import type { Prefill } from '../../src/pages/parts/fields.ts'
import type { Services } from '../../src/services.ts'
import { sendPage } from '../send-page.ts'

type InvitationPageOptions = {
  readonly token: string
  readonly invitation: Invitation
  /** Why the previous attempt failed: the untrusted query parameter `connect_error`, which selects a text and is never shown. */
  readonly errorCode?: string | undefined
  /** What the invited user has filled in before. */
  readonly name?: string
  readonly values?: Prefill['values']
  /** Why that was refused. */
  readonly problem?: GatewayError
}

/** The page on which an invited user accepts or declines. */
export function sendInvitationPage(
  { providers, publicOrigin, basePath, pageContexts }: Pick<Services, 'providers' | 'publicOrigin' | 'basePath' | 'pageContexts'>,
  reply: FastifyReply,
  { token, invitation, errorCode, name, values = {}, problem }: InvitationPageOptions
): FastifyReply {
  const options = {
    invitation,
    settings: findProvider(providers, invitation.provider),
    path: `${basePath}/invitations/${token}`,
    siteHost: publicOrigin.host,
    errorCode,
    name,
    prefill: { values, invalid: problem?.parameter }
  }
  if (problem) reply.code(problem.status).header('grantkeeper-error', problem.code)
  reply
    // With no-referrer, browsers submit a form with `Origin: null`, which the CSRF check cannot attribute.
    .header('referrer-policy', 'same-origin')
    .header('x-robots-tag', 'noindex')
  return sendPage(reply, pageContexts, context => invitationPage(context, options), { formsLeave: true })
}
