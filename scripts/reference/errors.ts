import { errorCodes, GatewayError } from '../../src/core/errors.ts'

const introduction = `# Error codes

After this page you know every code with which Grantkeeper itself responds. Its errors are problem documents (RFC 9457), with the code
in the header \`Grantkeeper-Error\`; a response without that header is the provider's. \`title\` is for people and may change:
branch on the code. The [README](../../README.md#errors) has what comes with a code, and
[Operating](../operating.md#when-something-is-wrong) what an operator does about it.

| code | status | title |
| --- | --- | --- |
`

/** From the table of codes. */
export const errorsPage = (): string =>
  introduction +
  errorCodes
    .map(code => new GatewayError(code, ''))
    .map(({ code, status, title }) => `| \`${code}\` | ${status} | ${title} |\n`)
    .join('')
