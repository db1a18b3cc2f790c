export const minute = 60_000

export const bytes = (text: string): Buffer => Buffer.from(text)

/** Records as `put` and `expect` take them. */
export const records = (texts: Record<string, string>) => Object.entries(texts).map(([field, text]) => [field, bytes(text)] as const)
