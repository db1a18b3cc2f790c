import { createPageContexts } from '../../src/pages/context.ts'

/** For pages that a test renders without a gateway, in English. */
export const pageContext = createPageContexts({ publicUrl: 'http://localhost:3000', basePath: '' }, {}).for(undefined)
