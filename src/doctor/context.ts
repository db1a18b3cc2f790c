import type { LookupFunction } from 'node:net'
import type { ExaminedConfig } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import type { Clock, LookupFor } from '../core/ports.ts'

/** The part of statfs(2) that is looked at. */
type FileSystemStats = { readonly type: number; readonly bavail: number; readonly bsize: number }

/** What checks work with. */
export type DoctorContext = ExaminedConfig & {
  readonly variables: Environment
  /** `TOKEN_KEYS`, or the keys that an earlier start has generated; `undefined` when there are none, or malformed ones. */
  readonly tokenKeys: readonly Buffer[] | undefined
  readonly clock: Clock
  /** As the gateway looks hosts up: in production only public IP addresses, and the origins that the operator has configured. */
  readonly lookupFor: LookupFor
  /** The system's lookup. */
  readonly resolve: LookupFunction
  /** @throws system errors */
  readonly statfs: (path: string) => FileSystemStats
}
