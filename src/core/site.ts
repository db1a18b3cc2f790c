/** Where this gateway is, as browsers see it. */
export type Site = {
  /** Without a trailing slash: the base of every link that leaves this gateway. */
  readonly publicUrl: string
  /** The path of `publicUrl`, before every path in a page: `/integrations`, or nothing. */
  readonly basePath: string
}
