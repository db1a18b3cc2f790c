import type { Figure, Results, Table } from './results.ts'
import type { Plan } from './sampling.ts'
import type { InWorld } from './system.ts'

export type Findings = {
  readonly tables?: readonly Table[]
  readonly figures?: readonly Figure[]
  readonly missing?: Results['missing']
}

/** A measurement of Grantkeeper alone, with its own processes. */
export type Topic = {
  readonly name: string
  run(inWorld: InWorld, plan: Plan): Promise<Findings>
}
