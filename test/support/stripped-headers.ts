/**
 * Request headers that must not reach a provider: credentials, hop-by-hop headers (RFC 9110 §7.6.1), and those from which servers infer
 * the client or the target (client IP address, rewritten URL, fetch metadata).
 */
export const strippedRequestHeaders = [
  'Authorization',
  'Cookie2',
  'Proxy-Authorization',
  'Proxy-Connection',
  'Proxy-Anything',
  'Forwarded',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Forwarded-Anything',
  'Keep-Alive',
  'TE',
  'Trailer',
  'Trailers',
  'Upgrade',
  'HTTP2-Settings',
  'Via',
  'X-Real-IP',
  'X-Client-IP',
  'X-Cluster-Client-IP',
  'True-Client-IP',
  'Client-IP',
  'CF-Connecting-IP',
  'X-Original-URL',
  'X-Original-Host',
  'X-Original-Uri',
  'X-Rewrite-URL',
  'Referer',
  'Sec-CH-UA',
  'Sec-Fetch-Mode',
  'Access-Control-Request-Method',
  'Access-Control-Request-Headers'
]
