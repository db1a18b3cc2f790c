/** Texts that the scripts of our pages show, in the language of the page: its `body` has them as JSON in `data-texts`. */
export type PageTexts = {
  /** A request got no response. */
  readonly unreachable: string
  readonly tryAgain: string
  /** `{detail}` stands for what the gateway said about it. */
  readonly failed: string
  readonly showKey: Toggle
  readonly hideKey: Toggle
  /** As above, for another secret: `{field}` stands for what it is called. */
  readonly showField: Toggle
  readonly hideField: Toggle
  readonly nameMissing: string
  readonly copied: string
  readonly notCopied: string
  /** `{count}` of `{total}` services match what was searched for. */
  readonly found: string
  readonly foundNone: string
  /** What an error code means, in place of the problem's English detail. */
  readonly problems: Readonly<Record<string, string>>
}

/** `name` is what a screen reader says. */
type Toggle = { readonly label: string; readonly name: string }
