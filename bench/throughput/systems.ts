import type { System } from './system.ts'
import { apaches } from './systems/apache.ts'
import { expressStacks } from './systems/express.ts'
import { grantkeeper } from './systems/grantkeeper.ts'
import { nginxAuth } from './systems/nginx-auth.ts'
import { plain } from './systems/plain.ts'

/** In the order of the tables' rows. */
export const systems: readonly System[] = [...plain, ...grantkeeper, ...nginxAuth, ...apaches, ...expressStacks]

/** The system whose ratio is 1.00. */
export const base = 'http-proxy'
