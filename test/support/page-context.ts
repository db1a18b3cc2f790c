import { createPageContext } from '../../src/pages/context.ts'

/** For pages that a test renders without a gateway. */
export const pageContext = createPageContext({ publicUrl: 'http://localhost:3000', basePath: '' })
