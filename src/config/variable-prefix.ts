import type { Provider } from '../core/provider/definition.ts'

/** `process-street` -> `PROCESS_STREET` */
export const variablePrefix = ({ name }: Pick<Provider, 'name'>): string => name.toUpperCase().replaceAll('-', '_')

/** Names by which settings of the gateway itself begin, in the environment or as options. */
const reservedNames = new Set(['app', 'jwt', 'login', 'providers'])

/** Whether a provider cannot have this name, because its variables could be the gateway's. */
export const isReservedName = (name: string): boolean => reservedNames.has(name)

export const reservedNameProblem = (name: string): string =>
  `name must not be ${JSON.stringify(name)}, by which settings of the gateway begin. Choose another.`
