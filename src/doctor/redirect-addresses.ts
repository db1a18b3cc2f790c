import type { DoctorContext } from './context.ts'
import type { Check } from './finding.ts'

/** What must be registered elsewhere, to the letter. */
export const redirectAddressesCheck = ({ settings }: DoctorContext): Check => ({
  area: 'addresses',
  subject: 'to register',
  run(report) {
    const { publicUrl, providers, login } = settings
    for (const { definition, client } of providers.values())
      if (client) report.about(definition.title).ok(`register the redirect address ${publicUrl}/auth/${definition.name}/callback`)
    if (!login) return
    const about = report.about('LOGIN_ISSUER')
    about.ok(`register the redirect address ${publicUrl}/login/callback`)
    about.ok(`register the address after sign-out ${publicUrl}/logout`)
    about.ok(`register for back-channel logout, if the issuer has it, ${publicUrl}/login/backchannel-logout`)
  }
})
