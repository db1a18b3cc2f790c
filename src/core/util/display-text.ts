/**
 * Text as our pages can show it in a line: without control characters, line separators and the marks that turn the direction of text
 * (UAX #9), which could make the line read as another.
 */
export const toSingleLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
