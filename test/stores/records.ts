export const minute = 60_000

export const bytes = (text: string): Buffer => Buffer.from(text)

/** Records in the form of `put` and `expect`. */
export const records = (texts: Record<string, string>) => Object.entries(texts).map(([field, text]) => [field, bytes(text)] as const)
