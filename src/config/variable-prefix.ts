import type { Provider } from '../core/provider/definition.ts'

/** `process-street` -> `PROCESS_STREET` */
export const variablePrefix = ({ name }: Pick<Provider, 'name'>): string => name.toUpperCase().replaceAll('-', '_')
