/** The signals with which terminals, service managers and orchestrators end a process, and the supervisor its workers. */
export const shutdownSignals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const

/** Sent by a worker to the supervisor when it listens: its startup banner. */
export type ReadyMessage = { readonly ready: string }
