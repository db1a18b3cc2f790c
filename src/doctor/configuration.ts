import { isLoopback } from '../config/urls.ts'
import type { DoctorContext } from './context.ts'
import type { Check } from './finding.ts'

/** Everything that a start would refuse or warn of, and in which mode it would be. */
export const configurationChecks = ({ settings, problems, warnings, hasPublicUrl }: DoctorContext): Check[] => [
  {
    area: 'configuration',
    subject: 'environment',
    run(report) {
      for (const problem of problems) {
        const { subject, message, cure } = parse(problem)
        report.about(subject).error(message, cure)
      }
      for (const warning of warnings) {
        const { subject, message, cure } = parse(warning)
        report.about(subject).warning(message, cure)
      }
      if (problems.length === 0) report.ok('every variable is valid')
    }
  },
  {
    area: 'configuration',
    subject: 'NODE_ENV',
    run(report) {
      const { production, publicOrigin } = settings
      if (!production)
        report.ok('development mode, for this machine alone: the sandbox may play the providers, and cookies do not require TLS')
      else if (hasPublicUrl && !isLoopback(publicOrigin.hostname)) report.ok(`production at ${publicOrigin.origin}`)
      else if (!problems.some(problem => problem.startsWith('PUBLIC_URL')))
        report
          .about('PUBLIC_URL')
          .warning(
            `is ${hasPublicUrl ? publicOrigin.origin : 'not set'}: callbacks and links lead to this machine, and only its own browsers can use them`,
            'Set the https origin that browsers use, for example PUBLIC_URL=https://connect.example.com.'
          )
    }
  }
]

const fallback = 'The variable’s row in docs/reference/configuration.md says what it takes.'

type Parsed = { readonly subject: string; readonly message: string; readonly cure: string }

/** A problem begins with its variable, says what is wrong, and then what to set: in further sentences, or after "for example". */
function parse(problem: string): Parsed {
  const [, file, field] = /^(\S+\.(?:json|m?[jt]s)): (.+)$/s.exec(problem) ?? []
  if (file !== undefined && field !== undefined) {
    // Such a file may be valid by itself.
    const [, message, cure] = /^(name .+)\. (Keep one|Choose another)\.$/s.exec(field) ?? []
    if (message !== undefined) return { subject: file, message, cure: `${cure}: the name of a provider is its own.` }
    return {
      subject: file,
      message: field.replace(/\.$/, ''),
      cure: `Correct this definition; grantkeeper providers check ${file} says when it is valid.`
    }
  }
  const [, first = problem, rest = ''] = /^(.+?)\.(?: (?=[A-Z])(.+))?$/s.exec(problem) ?? []
  const [, what = first, example] = /^(.+?), (for example .+)$/s.exec(first) ?? []
  const subject = /^[A-Z\d_]{4,}\b/.exec(what)?.[0] ?? 'environment'
  const cure = [...(example === undefined ? [] : [`Set it, ${example}.`]), ...(rest === '' ? [] : [rest])].join(' ')
  return { subject, message: what.startsWith(subject) ? what.slice(subject.length).replace(/^:? /, '') : what, cure: cure || fallback }
}
