import { keyStory } from './key-story.ts'
import { ContractProblem } from './problem.ts'
import { signInStory } from './sign-in-story.ts'
import type { Stage, Step } from './stage.ts'

export type Method = 'oauth2' | 'apiKey'

export type StepResult = {
  readonly title: string
  /** Why the step says nothing of this definition, in a sentence. */
  readonly without?: string
  /** What does not hold. What comes after it is not tried. */
  readonly problem?: string
}

/** Rate limits are counted by the minute. */
const minuteMs = 61_000

/**
 * Plays the life of connections to one provider, made by one of its methods, as a user with a browser sees it: each step needs the connection as
 * the one before has left it.
 */
export async function* runContract(stage: Stage, method: Method): AsyncGenerator<StepResult> {
  const { definition, vendor, clock } = stage
  vendor.reset()
  const steps = definition.methods[method] ? (method === 'oauth2' ? signInStory : keyStory)(stage) : [withoutMethod(method)]
  for (const step of steps) {
    const result = { title: step.title, ...(await outcomeOf(step, stage)) }
    yield result
    if (result.problem !== undefined) break
  }
  clock.advance(minuteMs)
}

const withoutMethod = (method: Method): Step => ({
  title: method === 'oauth2' ? 'a user signs in' : 'a user gives a key',
  without: ({ title }) => `${title} has no ${method === 'oauth2' ? 'sign-in' : 'keys'}.`,
  run: async () => {}
})

async function outcomeOf(step: Step, { definition, warnings = () => [] }: Stage): Promise<Pick<StepResult, 'without' | 'problem'>> {
  const without = step.without?.(definition)
  if (without !== undefined) return { without }
  const before = warnings().length
  try {
    await step.run()
    return {}
  } catch (error) {
    if (!(error instanceof ContractProblem)) throw error
    return {
      problem: [
        error.message,
        ...warnings()
          .slice(before)
          .map(line => `the gateway logged: ${line}`)
      ].join('\n')
    }
  }
}
