import { TemplateError } from '../core/provider/template.ts'

/** Does work that expands templates. @param createError the error for a value that is not known, or must not stand where a template has it */
export async function orThrow<T>(createError: (error: TemplateError) => Error, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof TemplateError ? createError(error) : error
  }
}
