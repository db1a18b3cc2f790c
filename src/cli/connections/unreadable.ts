export const unreadableUsers = (count: number, user: string): string =>
  `${count} users have records that none of TOKEN_KEYS opens: ${JSON.stringify(user)} may be one of them.\n`
