import type { Provider } from './definition.ts'

/** The facts of a definition that nobody has found but in a guide. */
export const guessesOf = ({ sources }: Pick<Provider, 'sources'>): string[] =>
  sources.flatMap(({ confidence, facts }) => (confidence === 'guide' ? facts : []))
