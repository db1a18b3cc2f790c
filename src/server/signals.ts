/** With what a terminal, a service manager or an orchestrator ends a process, and the first process its workers. */
export const shutdownSignals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const

/** What a worker says to the process that watches over it. */
export type Ready = { readonly ready: string }
