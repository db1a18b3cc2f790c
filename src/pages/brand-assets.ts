import type { Brand } from '../core/brand.ts'
import { type Asset, createAsset, icon } from './assets.ts'
import { accentColor, buttonColors, textColorOn } from './colors.ts'
import { html } from './html.ts'
import { initialsOf } from './initials.ts'

/** Of a brand without a colour of its own: the accent of the light scheme. */
const defaultColor = '#1f4b99'

/** What a brand adds to the assets of all pages. */
export type BrandAssets = {
  /** Beside the name and in the tab of the browser: an asset of ours, unless the operator has a logo elsewhere. */
  readonly icon: Asset
  /** Sets the colours of `grantkeeper.css` anew. */
  readonly stylesheet?: Asset
}

/** An operator's product does not appear under Grantkeeper's icon: without a logo it gets one of its initials. */
export const createBrandAssets = ({ name, color }: Brand): BrandAssets => ({
  icon: name === undefined ? icon : createAsset('brand', 'svg', initialsIcon(name, color ?? defaultColor)),
  ...(color !== undefined && { stylesheet: createAsset('brand', 'css', colorsOf(color)) })
})

function colorsOf(color: string): string {
  const { background, hover, text } = buttonColors(color)
  return `:root {
  --accent: light-dark(${accentColor(color, 'light')}, ${accentColor(color, 'dark')});
  --button: ${background};
  --button-hover: ${hover};
  --on-button: ${text};
}
`
}

function initialsIcon(name: string, color: string): string {
  const initials = initialsOf(name)
  const [baseline, size] = initials.length > 1 ? [21, 14] : [22.5, 18]
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="${color}"/><text x="16" y="${baseline}" text-anchor="middle" font-family="system-ui, sans-serif" font-size="${size}" font-weight="700" fill="${textColorOn(color)}">${initials}</text></svg>`
    .text
}
