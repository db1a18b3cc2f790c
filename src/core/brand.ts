/** How the pages introduce the operator's product. What is not set is Grantkeeper's. */
export type Brand = {
  /** One line. */
  readonly name?: string
  /** Absolute URL of an image. Its path names one image, so that a content security policy can allow that image alone. */
  readonly logoUrl?: string
  /** `#rrggbb` in lower case, for buttons and links. The pages make links in it lighter or darker where they would be hard to read. */
  readonly color?: string
}
