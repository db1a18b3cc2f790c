import { toSingleLine } from '../core/util/display-text.ts'
import type { Finding } from './finding.ts'

const labels = { ok: 'ok   ', warning: 'warn ', error: 'FAIL ' } as const

export const hasError = (findings: readonly Finding[]): boolean => findings.some(({ level }) => level === 'error')

/** A line each, and its cure indented below. */
export function formatFindings(findings: readonly Finding[]): string {
  const lines = findings.flatMap(finding => {
    const { area, subject, message, level } = finding
    const line = `${labels[level]} ${area}: ${singleLine(subject)}: ${singleLine(message)}`
    return [line, ...(finding.level === 'ok' ? [] : [`      -> ${singleLine(finding.cure)}`])]
  })
  return `${[...lines, '', summaryOf(findings)].join('\n')}\n`
}

/** Other machines' words are in it. */
const singleLine = (text: string): string => toSingleLine(text.replace(/\s+/g, ' '))

function summaryOf(findings: readonly Finding[]): string {
  const count = (level: Finding['level']) => findings.filter(finding => finding.level === level).length
  const [errors, warnings] = [count('error'), count('warning')]
  return `${errors === 1 ? '1 error' : `${errors} errors`}, ${warnings === 1 ? '1 warning' : `${warnings} warnings`}, ${count('ok')} ok.`
}
