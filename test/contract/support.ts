import type { Test } from 'tap'
import { runContract, type StepResult } from '../../src/contract/contract.ts'
import type { Provider } from '../../src/core/provider/definition.ts'
import { startGatewayAndSandbox, TestClock } from '../support/gateway.ts'

/** Connections outlive their tokens, of which some last for months. */
const year = String(365 * 86_400)

/** A gateway and a sandbox for many definitions. @param known the gateway's; by default those that the sandbox plays */
export async function startContract(t: Test, definitions: readonly Provider[], known = definitions) {
  const clock = new TestClock()
  const environment = { LOG_LEVEL: 'warn', SESSION_IDLE: year, SESSION_MAX: year, SIGN_INS_PER_MINUTE: '100000' }
  const { gateway, sandbox } = await startGatewayAndSandbox(t, { definitions: known, clock, environment }, { definitions })
  return async (definition: Provider): Promise<StepResult[]> => {
    const stage = { origin: gateway.url, definition, vendor: sandbox.vendor(definition.name), clock, warnings: () => gateway.logs }
    return Array.fromAsync(runContract(stage))
  }
}
