/** Red, green and blue, 0 to 255. */
type Rgb = readonly [number, number, number]

const black: Rgb = [0, 0, 0]
const white: Rgb = [255, 255, 255]

/** WCAG 2.2 AA for text, and for large text (1.4.3). */
const minContrast = 4.5
const minLargeContrast = 3

/** On which links are read: backgrounds in `assets/grantkeeper.css`. */
const backgrounds = {
  light: ['#ffffff', '#f6f7f9', '#e6f4ec', '#fdeeea'],
  dark: ['#191d24', '#101318', '#14291e', '#33191a']
} as const

/**
 * The colour for links, edges and focus: darker in the light scheme and lighter in the dark one if it would be hard to read otherwise.
 * @param color `#rrggbb`
 */
export function accentColor(color: string, scheme: keyof typeof backgrounds): string {
  const towards = scheme === 'light' ? black : white
  const isReadable = (rgb: Rgb) => backgrounds[scheme].every(background => contrast(rgb, parse(background)) >= minContrast)
  let accent = parse(color)
  for (let percent = 1; !isReadable(accent); percent++) accent = mix(parse(color), towards, percent / 100)
  return format(accent)
}

export type ButtonColors = { readonly background: string; readonly hover: string; readonly text: string }

/** A button has the colour as it is, with white text where it can be read, else black: one of them always can. @param color `#rrggbb` */
export function buttonColors(color: string): ButtonColors {
  const background = parse(color)
  const [text, opposite] = contrast(background, white) >= minContrast ? [white, black] : [black, white]
  return { background: color, hover: format(mix(background, opposite, 0.15)), text: format(text) }
}

/** For large text on the colour: white where it can be read, else black. @param color `#rrggbb` */
export const textColorOn = (color: string): string => format(contrast(parse(color), white) >= minLargeContrast ? white : black)

/** From 1 to 21 (WCAG 2.2, "contrast ratio"). @param one `#rrggbb`, as `other` is */
export const contrastOf = (one: string, other: string): number => contrast(parse(one), parse(other))

function contrast(one: Rgb, other: Rgb): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

/** WCAG 2.2, "relative luminance". */
function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map(channel => {
    const share = channel / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** @param share of the second colour, from 0 to 1 */
const mix = (one: Rgb, other: Rgb, share: number): Rgb =>
  one.map((channel, i) => Math.round(channel + ((other[i] as number) - channel) * share)) as unknown as Rgb

const parse = (color: string): Rgb => [1, 3, 5].map(start => Number.parseInt(color.slice(start, start + 2), 16)) as unknown as Rgb

const format = (rgb: Rgb): string => `#${rgb.map(channel => channel.toString(16).padStart(2, '0')).join('')}`
