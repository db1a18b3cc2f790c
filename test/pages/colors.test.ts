import t from 'tap'
import { accentColor, buttonColors, contrastOf, textColorOn } from '../../src/pages/colors.ts'

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
        t.ok(contrastOf(accentColor(color, scheme), background) >= 4.5, `${color} on ${background}`)
})

t.test('the label of a button of any colour can be read, under the pointer too', async t => {
  for (const color of colors) {
    const { background, hover, text } = buttonColors(color)
    t.equal(background, color)
    t.ok(contrastOf(text, background) >= 4.5, color)
    t.ok(contrastOf(text, hover) >= contrastOf(text, background), `${color}, under the pointer`)
  }
  t.equal(buttonColors('#0a7d5a').text, '#ffffff')
  t.equal(buttonColors('#ffd400').text, '#000000')
})

t.test('a colour that can be read stays as it is', async t => {
  t.equal(accentColor('#0a7d5a', 'light'), '#0a7d5a')
  t.equal(accentColor('#ffd400', 'dark'), '#ffd400')
  t.equal(accentColor('#9dbdff', 'dark'), '#9dbdff')
})

t.test('large text on any colour can be read', async t => {
  for (const color of colors) t.ok(contrastOf(textColorOn(color), color) >= 3, color)
  t.equal(textColorOn('#0079f2'), '#ffffff', 'white where it can be')
})
