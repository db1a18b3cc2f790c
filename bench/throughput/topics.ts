import type { Topic } from './topic.ts'
import { accessLog } from './topics/access-log.ts'
import { bearers } from './topics/bearers.ts'
import { cold } from './topics/cold.ts'
import { embedding } from './topics/embedding.ts'
import { latency } from './topics/latency.ts'
import { memory } from './topics/memory.ts'
import { start } from './topics/start.ts'
import { stored } from './topics/stored.ts'
import { workers } from './topics/workers.ts'

export const topics: readonly Topic[] = [cold, accessLog, bearers, embedding, latency, stored, memory, start, workers]
