/** What a check looks at. */
export type Area = 'configuration' | 'keys' | 'store' | 'records' | 'providers' | 'issuer' | 'addresses' | 'process'

type What = {
  readonly area: Area
  /** A variable, a provider, a host: what the message is about. */
  readonly subject: string
  /** One sentence, without its full stop. */
  readonly message: string
}

/** What a check has found. Whatever is not well has a cure. No finding holds a secret. */
export type Finding =
  | (What & { readonly level: 'ok' })
  /** `warning`: works now, or cannot be told from here. `error`: does not work, or loses what users have. */
  | (What & { readonly level: 'warning' | 'error'; readonly cure: string })

export type Report = (finding: Finding) => void

/** Some findings about one thing. What it opens it closes, at the latest when the signal is aborted. */
export type Check = {
  readonly area: Area
  readonly subject: string
  run(report: Reporter, signal: AbortSignal): void | Promise<void>
}

/** Reports about the area and subject of a check, or of a part of it. */
export type Reporter = {
  ok(message: string): void
  warning(message: string, cure: string): void
  error(message: string, cure: string): void
  about(subject: string): Reporter
}

export function createReporter(area: Area, subject: string, report: Report): Reporter {
  return {
    ok: message => report({ level: 'ok', area, subject, message }),
    warning: (message, cure) => report({ level: 'warning', area, subject, message, cure }),
    error: (message, cure) => report({ level: 'error', area, subject, message, cure }),
    about: other => createReporter(area, other, report)
  }
}
