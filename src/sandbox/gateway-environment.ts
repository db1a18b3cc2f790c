import type { VendorControl } from './vendor-server.ts'

/** The environment variables with which a gateway uses the sandbox. */
export function environmentOf(origin: string, vendors: readonly VendorControl[]): Record<string, string> {
  return Object.assign({ SANDBOX_URL: origin }, ...vendors.map(variablesOf))
}

/** The client, and what only the operator can set. */
function variablesOf({ definition, client }: VendorControl): Record<string, string> {
  const { name, methods, parameters = {} } = definition
  const prefix = name.toUpperCase().replaceAll('-', '_')
  const entries = Object.entries(parameters)
  const operators = entries.filter(([, { operator }]) => operator)
  const hosts = entries.filter(([, { isHost }]) => isHost).map(([, { example }]) => example)
  return {
    ...(methods.oauth2 && {
      [`${prefix}_CLIENT_ID`]: client.id,
      ...(client.secret !== undefined && { [`${prefix}_CLIENT_SECRET`]: client.secret })
    }),
    ...Object.fromEntries(operators.map(([parameter, { example }]) => [`${prefix}_PARAMETER_${parameter.toUpperCase()}`, example])),
    ...(hosts.length > 0 && methods.oauth2 && { [`${prefix}_HOSTS`]: hosts.join(',') })
  }
}
