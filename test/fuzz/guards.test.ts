// One process for all, because its start takes longer than most of them.
import './guards/path.ts'
import './guards/request-headers.ts'
import './guards/response-headers.ts'
import './guards/return-to.ts'
import './guards/location.ts'
import './guards/token-response.ts'
import './guards/retry-after.ts'
import './guards/configuration.ts'
