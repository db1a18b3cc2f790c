import t from 'tap'
import { accentColors, contrastOf, textColorOn } from '../../src/pages/colors.ts'

/** Light, dark and medium colours of all hues. */
const colors = ['00', '55', 'aa', 'ff'].flatMap((red, _, steps) => steps.flatMap(green => steps.map(blue => `#${red}${green}${blue}`)))

t.test('contrast is that of WCAG', async t => {
  t.equal(contrastOf('#000000', '#ffffff'), 21)
  t.equal(contrastOf('#ffffff', '#000000'), 21)
  t.equal(contrastOf('#777777', '#777777'), 1)
  t.equal(contrastOf('#767676', '#ffffff').toFixed(2), '4.54')
})

t.test('links of any colour can be read on a page and in a message, in both schemes', async t => {
  const backgrounds = { light: ['#ffffff', '#f6f7f9', '#e6f4ec', '#fdeeea'], dark: ['#191d24', '#101318', '#14291e', '#33191a'] }
  for (const scheme of ['light', 'dark'] as const)
    for (const color of colors)
      for (const background of backgrounds[scheme])
        t.ok(contrastOf(accentColors(color, scheme).accent, background) >= 4.5, `${color} on ${background}`)
})

t.test('the label of a button of any colour can be read, under the pointer too', async t => {
  for (const [scheme, label] of [
    ['light', '#ffffff'],
    ['dark', '#0e1726']
  ] as const)
    for (const color of colors)
      for (const button of Object.values(accentColors(color, scheme))) t.ok(contrastOf(label, button) >= 4.5, `${color}, ${scheme}`)
})

t.test('a colour that can be read stays as it is', async t => {
  t.equal(accentColors('#0a7d5a', 'light').accent, '#0a7d5a')
  t.equal(accentColors('#ffd400', 'dark').accent, '#ffd400')
  t.equal(accentColors('#9dbdff', 'dark').accent, '#9dbdff')
})

t.test('large text on any colour can be read', async t => {
  for (const color of colors) t.ok(contrastOf(textColorOn(color), color) >= 3, color)
  t.equal(textColorOn('#0079f2'), '#ffffff', 'white where it can be')
})
