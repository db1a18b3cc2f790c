import { type Html, html } from '../html.ts'
import { time } from './details.ts'

/** The end of the session, which is the end of everything in it: after a time without use, but not before, and at the latest. */
export type SessionExpiry = { idleMs: number; notBeforeMs: number | undefined; latestMs: number }

const at = (ms: number) => time(new Date(ms).toISOString())

export const signOutPanel = ({ idleMs, notBeforeMs, latestMs }: SessionExpiry): Html => html`<div class="leave">
<p class="fine">Done on a computer that others use too? Sign out. Otherwise all of this ends after ${duration(idleMs)} without use${notBeforeMs === undefined ? '' : html` (not before ${at(Math.min(notBeforeMs, latestMs))}, since you asked somebody else)`}, and on ${at(latestMs)} at the latest.</p>
<button type="button" class="quiet" data-method="POST" data-path="/logout" data-question="Sign out?" data-meaning="Every connection on this page is ended, and every link that waits for somebody else. You can connect again at any time." data-done="You are signed out, and every connection is ended.">Sign out and disconnect all</button>
<p class="fine scriptless">Disconnecting and signing out need JavaScript, which is off in this browser.</p>
</div>`

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000]
] as const

/** `8 hours`, `30 days`: in the largest unit of which there are two or more. */
function duration(ms: number): string {
  const [unit, size] = units.find(([, size]) => ms >= 2 * size) ?? ['second', 1000]
  return new Intl.NumberFormat('en', { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 1 }).format(ms / size)
}
