import { keyStory } from './key-story.ts'
import { ContractProblem } from './problem.ts'
import { signInStory } from './sign-in-story.ts'
import type { Stage, Step } from './stage.ts'

export type StepResult = {
  readonly method: 'oauth2' | 'apiKey'
  readonly title: string
  /** Why the step says nothing of this definition, in a sentence. */
  readonly without?: string
  /** What does not hold. What comes after it is not tried. */
  readonly problem?: string
}

/** Rate limits are counted by the minute. */
const minuteMs = 61_000

/** Plays the life of connections to one provider, by each of its methods, as a user with a browser sees it. */
export async function* runContract(stage: Stage): AsyncGenerator<StepResult> {
  const { definition, vendor, clock } = stage
  const { oauth2, apiKey } = definition.methods
  for (const method of ['oauth2', 'apiKey'] as const) {
    if (!(method === 'oauth2' ? oauth2 : apiKey)) {
      const without = `${definition.title} has no ${method === 'oauth2' ? 'sign-in' : 'keys'}.`
      yield { method, title: method === 'oauth2' ? 'a user signs in' : 'a user gives a key', without }
      continue
    }
    vendor.reset()
    for (const step of method === 'oauth2' ? signInStory(stage) : keyStory(stage)) {
      const result = { method, title: step.title, ...(await outcomeOf(step, stage)) }
      yield result
      // Every further step needs the connection as this one should have left it.
      if (result.problem !== undefined) break
    }
    clock.advance(minuteMs)
  }
}

async function outcomeOf(step: Step, { definition, warnings = () => [] }: Stage): Promise<Pick<StepResult, 'without' | 'problem'>> {
  const without = step.without?.(definition)
  if (without !== undefined) return { without }
  const before = warnings().length
  try {
    await step.run()
    return {}
  } catch (error) {
    if (!(error instanceof ContractProblem)) throw error
    return { problem: [error.message, ...warnings().slice(before).map(line => `the gateway logged: ${line}`)].join('\n') }
  }
}
