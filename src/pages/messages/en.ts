import type { PageTexts } from '../../browser/page-texts.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { type Html, html } from '../html.ts'

/** A control: what it shows, and its name for screen readers, which begins with that and tells the controls of a page apart. */
type Control = { readonly label: string; readonly name: (of: string) => string }
export const control = (label: string, name: (of: string) => string): Control => ({ label, name })

const tryLater = 'It has a problem of its own just now. Wait a few minutes and connect again.'
const signInFirst = 'It wants you to sign in there first. Do that, then connect again.'
const theApplications = (app: string | undefined): Html =>
  app === undefined ? html`the applications of this site` : html`<bdi>${app}</bdi>`

/**
 * Every text of the pages in English, the language in which they are written. Other languages have the same messages, which the compiler
 * checks. `app` is the name of the operator's product, if it has one; a text in `Html` may hold markup.
 */
export const en = {
  byGrantkeeper: 'by Grantkeeper',
  cancel: 'Cancel',
  done: 'Done',
  signIn: 'Sign in',
  signInAgain: 'Sign in again',
  backToConnections: 'Back to your connections',
  connectionsNeedScript: 'Disconnecting and signing out need JavaScript, which is off in this browser.',
  thatNeedsScript: 'That needs JavaScript, which is off in this browser.',
  /** Asked for help, what to pass on. */
  mentionCode: (code: Html): Html => html`If you ask for help, mention the code ${code}.`,
  mentionCodeAndRequest: (code: Html, request: Html): Html =>
    html`If you ask for help, mention the code ${code} and the request ${request}.`,

  connections: {
    title: 'Connections',
    lead: (app: string | undefined): Html => html`Choose the services that ${theApplications(app)} may use for you.`,
    none: 'No service is set up here yet. Who runs this site can add one.',
    search: 'Find a service',
    /** In place of the first fact where a service is connected with a password. */
    factWithPassword: {
      title: 'You give no more than it takes',
      text: 'You sign in on the service’s own page, or give a key that you make there. Only where a service has neither, you give a password.'
    },
    facts: [
      {
        title: 'You never give a password',
        text: 'You sign in on the service’s own page, or paste a key that you make there.'
      },
      {
        title: 'Access stays locked away',
        text: 'It is kept encrypted on this server. No application and no browser gets to see it.'
      },
      {
        title: 'You can end it any time',
        text: 'Disconnect, and the access ends here at once. Where the service can be told, it ends there too.'
      }
    ]
  },

  /** Signing out of an anonymous browser, whose connections end with it. */
  signOutAll: {
    /** @param notBefore when it ends at the earliest, since the user has invited somebody */
    hint: (duration: string, notBefore: Html | undefined, latest: Html): Html =>
      html`Done on a computer that others use too? Sign out. Otherwise all of this ends after ${duration} without use${notBefore === undefined ? '' : html` (not before ${notBefore}, since you asked somebody else)`}, and on ${latest} at the latest.`,
    label: 'Sign out and disconnect all',
    question: 'Sign out?',
    consequence: 'Every connection on this page is ended, and every link that waits for somebody else. You can connect again at any time.',
    success: 'You are signed out, and every connection is ended.'
  },

  user: {
    signedInAs: (name: Html): Html => html`Signed in as ${name}`,
    /** Name of the account menu for screen readers, in which its visible label is. */
    menu: (name: string) => `Account: ${name}`,
    signOut: {
      label: 'Sign out',
      question: 'Sign out?',
      consequence: 'This browser is signed out. Your connections stay, and applications can go on using them for you.',
      success: 'You are signed out in this browser. Your connections stay.'
    },
    disconnectAll: {
      hint: 'Your connections stay when you sign out, for every browser in which you sign in and for what works for you meanwhile.',
      label: 'Disconnect all',
      question: 'Disconnect all?',
      consequence:
        'Every connection on this page is ended, for every browser and application, and every link that waits for somebody else. You can connect again at any time.',
      success: 'Everything is disconnected.'
    }
  },

  /** What a browser had connected before its user signed in. `list` is the names of the services, `count` their number. */
  takeover: {
    title: 'Was that you?',
    text: (list: Html, count: number): Html =>
      count > 1
        ? html`Before you signed in, this browser had connected ${list}. Keep them if you did that. If somebody else may have, disconnect them.`
        : html`Before you signed in, this browser had connected ${list}. Keep it if you did that. If somebody else may have, disconnect it.`,
    keep: {
      label: (count: number): string => (count > 1 ? 'Keep them' : 'Keep it'),
      question: (list: string) => `Keep ${list}?`,
      consequence: (count: number) => `From now on ${count > 1 ? 'they are' : 'it is'} yours, in every browser in which you sign in.`,
      success: (list: string, count: number) => `${list} ${count > 1 ? 'are' : 'is'} yours now.`
    },
    disconnect: {
      label: (count: number): string => (count > 1 ? 'Disconnect them' : 'Disconnect it'),
      question: (list: string) => `Disconnect ${list}?`,
      consequence: 'What this browser had connected before is ended. The connections on this page stay.',
      success: (list: string, count: number) => `${list} ${count > 1 ? 'are' : 'is'} disconnected.`
    }
  },

  /** `of` is a service, or an account there. */
  account: {
    status: { connected: 'Connected', reconnect_required: 'Access has ended', disconnected: 'Not connected' },
    numbered: (position: number) => `Account ${position}`,
    named: (title: string, label: string) => `${title}, ${label}`,
    default: 'Default',
    defaultHint: 'Applications use the default account unless they ask for another.',
    count: (count: number) => `${count} accounts`,
    keyHint: (title: string) => `You make a key at ${title} and paste it here.`,
    keyEnded: (title: string) => `${title} does not accept this key any more. Reconnect to go on using it.`,
    connectionEnded: (title: string) => `${title} does not accept this connection any more. Reconnect to go on using it.`,
    renewalFails: (title: string, since: Html): Html =>
      html`Renewing the access at ${title} has failed since ${since}. It is tried again by itself, and nothing is lost.`,
    missingScopes: (scopes: Html, count: number): Html =>
      html`Not allowed: ${scopes}. Connect again to allow ${count > 1 ? 'them' : 'it'}.`,
    details: {
      account: 'Account',
      since: 'Since',
      lastUsed: 'Last used',
      ends: 'Ends',
      connectedBy: 'Connected by',
      allowed: 'Allowed'
    },
    key: 'Key',
    withKey: (maker: Html): Html => html`${maker}, with a key`,
    connect: control('Connect', of => `Connect ${of}`),
    reconnect: control('Reconnect', of => `Reconnect ${of}`),
    /** By the other method than the one of the button. */
    instead: {
      oauth2: control('Sign in instead', of => `Sign in instead for ${of}`),
      api_key: control('Use a key instead', of => `Use a key instead for ${of}`)
    },
    /** Opens the menu of what is less used. */
    more: control('More', of => `More for ${of}`),
    add: control('Add another account', of => `Add another account of ${of}`),
    addInstead: {
      oauth2: control('Add one by sign-in', of => `Add one by sign-in for ${of}`),
      api_key: control('Add one with a key', of => `Add one with a key for ${of}`)
    },
    addNote: (title: string) => `This is added to the ${title} that is connected already, and changes nothing about it.`,
    replaceNote: (label: string) => `The key takes the place of ${label}.`,
    disconnect: {
      label: 'Disconnect',
      name: (of: string) => `Disconnect ${of}`,
      question: (of: string) => `Disconnect ${of}?`,
      keyConsequence: (title: string, app: string | undefined) =>
        `${app ?? 'The applications of this site'} can no longer use it. The key itself stays good until you delete it at ${title}.`,
      consequence: (title: string, app: string | undefined) =>
        `${app ?? 'The applications of this site'} can no longer use it. Nothing is deleted at ${title}, and you can connect again at any time.`,
      otherBrowsers: (title: string) =>
        `Other browsers and devices in which you connected the same ${title} account may be disconnected with it.`,
      success: (of: string) => `${of} is disconnected.`
    },
    /** One of several things that an account reaches. `{name}` is what was chosen. */
    choice: {
      title: (title: string, of: string) => `${title} of ${of}`,
      change: control('Change', of => `Change ${of}`),
      success: (title: string) => `${title} uses {name} now.`
    },
    makeDefault: {
      label: 'Make default',
      name: (of: string) => `Make default: ${of}`,
      success: (title: string, label: string) => `Applications that ask for no account use ${label} of ${title} now.`
    },
    invite: control('Ask somebody else', of => `Ask somebody else to connect ${of}`),
    /** The vendor's documentation. */
    docs: control('For developers (opens a new tab)', of => `For developers (opens a new tab): the API of ${of}`),
    /** For whom another account is asked: what stands for a service in `invite`. */
    another: (title: string) => `another ${title} account`
  },

  keyForm: {
    dialogTitle: (title: string) => `Connect ${title} with a key`,
    introFields: (title: string) => `This is how you find at ${title} what is asked for below:`,
    intro: (title: string) => `A key is a long code that lets this site use ${title}. This is how you get one:`,
    keysPage: (title: string) => `Make a key at ${title} (opens a new tab)`,
    field: (title: string) => `Your ${title} key`,
    hint: (title: string) => `It is shown to ${title} once to see that it works, and kept encrypted on this server.`,
    /** Where there is no way to see that it works. */
    hintUnchecked: 'It is kept encrypted on this server.',
    progress: (title: string) => `Asking ${title} …`,
    submit: 'Connect',
    noScript: html`<strong>Pasting a key needs JavaScript, which is off in this browser.</strong> Switch it on for this site and open this page again.`
  },

  /** What a provider asks of each user, in forms. */
  fields: {
    missing: 'Fill this in.',
    invalid: (example: string) => `That is not right. It looks like this: ${example}`,
    invalidSecret: 'That is not right. Copy it again.',
    invalidChoice: 'Choose one of these.',
    choose: 'Choose …'
  },

  goodToKnow: (plan: Html): Html => html`<strong>Good to know:</strong> ${plan}`,
  signInAt: (title: string) => `Sign in at ${title}`,
  useKey: 'Use a key',
  orUseKey: 'Or use a key',

  connectPage: {
    title: (title: string) => `Connect ${title}`,
    titleAnother: (title: string) => `Connect another ${title} account`,
    lead: (description: Html, app: string | undefined): Html =>
      html`${description}: that is what ${theApplications(app)} can use for you once it is connected.`,
    unsolicited: (title: string) =>
      `${title} sent you here with an access that this site did not ask for, so it is not used, and nothing has changed. Connect ${title} here to finish.`,
    accountsStay: (list: Html, count: number): Html =>
      html`Connected already: ${list}. ${count > 1 ? 'They stay' : 'It stays'}, and the account that you choose now is added.`,
    replaces: (title: string, account: { readonly label: Html; readonly isDefault: boolean; readonly since: Html | undefined }): Html =>
      html`The account that you choose at ${title} takes the place of ${account.label}${account.isDefault ? ', the default account,' : ''} connected on ${account.since}.`,
    replacesOnly: (title: string, account: { readonly name: Html | undefined; readonly since: Html | undefined }): Html =>
      html`It was connected${account.name && html` as ${account.name}`} on ${account.since}. The account that you choose at ${title} takes its place.`,
    addInstead: 'Add another account instead'
  },

  invitation: {
    somebody: 'Somebody',
    title: (inviter: string, title: string) => `${inviter} asks you to connect ${title}`,
    heading: (inviter: Html, title: string): Html => html`${inviter} asks you to connect ${title}`,
    lead: (description: Html, site: Html, inviter: Html): Html =>
      html`${description}: that is what the applications of ${site} could then use for ${inviter}.`,
    failed: (title: string) => `${title} was not connected.`,
    onlyIfKnown: 'Say yes only if you know who sent you this link: anybody can write any name.',
    noSecrets: (inviter: Html): Html =>
      html`${inviter} does not get to see your password, your key or the access itself. It is kept encrypted on this server.`,
    expires: (time: Html | undefined): Html => html`The link works once, until ${time}.`,
    yourName: 'Your name, if they should see who connected it',
    scopes: (scopes: Html): Html => html`What is asked for: ${scopes}`,
    continue: (title: string) => `Continue to ${title}`,
    declineHint: 'Not what you want? Decline, and nobody can use the link any more.',
    decline: 'Decline'
  },

  /** Those that a user makes, and what is seen of them until they are accepted. `of` is a service, or an account there. */
  invitations: {
    title: 'Waiting for somebody else',
    anotherAccount: (title: string) => `${title}, another account`,
    open: (inviter: Html | undefined, until: Html | undefined): Html =>
      html`${inviter === undefined ? '' : html`asked for by ${inviter}, `}until ${until}`,
    withdraw: {
      label: 'Withdraw',
      name: (of: string) => `Withdraw the invitation for ${of}`,
      question: (of: string) => `Withdraw the invitation for ${of}?`,
      consequence: 'Its link stops working, for whoever has it. You can ask again at any time.',
      success: (of: string) => `The invitation for ${of} is withdrawn.`
    },
    dialog: {
      heading: (of: Html): Html => html`Ask somebody else to connect ${of}`,
      intro:
        'Is it for somebody else to allow, such as an admin? You get a link to send to them. They sign in themselves, and get to see nothing of yours.',
      replaces: 'The connection that you have stays until they are done. Theirs then takes its place.',
      adds: 'What is connected already stays, and their account is added.',
      add: 'Add their account to the one that is connected',
      yourName: 'Your name, as they will see it',
      submit: 'Make the link',
      link: (of: Html): Html => html`The link for whoever is to connect ${of}`,
      copy: 'Copy',
      mail: 'Write an e-mail',
      mailSubject: (app: string) => `Please connect {service} for ${app}`,
      /** The script replaces `{service}`, `{link}`, `{time}` and `{name}`, who invites. */
      mailBody: (app: string) =>
        `Hello,\n\nplease connect {service}, so that ${app} can use it for me:\n\n{link}\n\nYou sign in yourself, and I get to see nothing of it. The link works once, until {time}.\n\n{name}`,
      onlyToThem: 'Send it yourself, and only to the person you mean. It is not shown again.',
      /** @param endsWithSession an anonymous user's ends when they sign out */
      expires: (time: Html, endsWithSession: boolean): Html =>
        html`It works once, until ${time}. You need not come back before. It ends earlier when you ${endsWithSession ? 'sign out or ' : ''}withdraw it.`,
      onlyTheirs: (of: Html): Html => html`Only they get to see the sign-in of ${of}. Once they are done, the card here says Connected.`
    }
  },

  thanks: {
    title: 'Thank you',
    text: (title: string | undefined) =>
      `${title ?? 'The service'} is connected for the person who asked you. Nothing more is to be done: you can close this page.`,
    end: (title: string | undefined) =>
      `To end the access later, ask them to disconnect it${title === undefined ? '' : `, or take it back in your settings at ${title}`}.`
  },
  declined: {
    title: 'Declined',
    text: 'Nothing was connected, and the link does not work any more. You can close this page.',
    notTold: 'The person who asked is not told. If they should know, tell them.'
  },

  /** How a sign-in ended, on the Connections page or in a popup. */
  result: {
    connected: (title: string) => `${title} is connected`,
    connectedAs: (title: string, account: Html): Html => html`${title} is connected as ${account}`,
    usable: (app: string | undefined): Html =>
      app === undefined ? html`The applications of this site can use it now.` : html`<bdi>${app}</bdi> can use it now.`,
    /** @param count of all there is to choose from */
    choice: (choice: Html, name: Html, count: number): Html =>
      html`${choice}: ${name}, one of ${count}. You can change it among your connections.`,
    stays: (title: string) => `${title} stays connected as it was`,
    notConnected: (title: string) => `${title} was not connected`,
    notAdded: (title: string) => `No other ${title} account was connected`,
    retry: (title: string) => `Try ${title} again`,
    closeWindow: 'You can close this window and go on where you came from.'
  },

  /** Why a sign-in failed, for users who do not know OAuth. */
  reasons: {
    denied: 'The access was not allowed there. If that was a slip, connect again and choose Allow. Some accounts need an admin for it.',
    tooLate: 'It took too long, or was answered twice. Connect again.',
    tryLater,
    timeout: 'It took too long to answer. Wait a few minutes and connect again.',
    signInFirst,
    misconfigured: 'Somebody who runs this site has to correct its settings; connecting again will not help until then.',
    none: 'It gave no reason. Connect again; if it goes on, ask who runs this site.'
  },

  login: {
    refused: 'You are not signed in',
    reasons: {
      denied: 'The sign-in was not allowed there. If that was a slip, sign in again.',
      loginRequired: 'You are not signed in there, and it was not asked to sign you in.',
      accountUnclear: 'It could not tell which of your accounts you mean.',
      consentRequired: 'It wants your consent first.',
      interactionRequired: 'It has something to ask you first.',
      none: 'It gave no reason. If it goes on, ask who runs this site.'
    },
    signedOut: 'You are signed out',
    connectionsStay: 'Your connections stay for when you sign in again, and for the applications that use them for you.'
  },

  error: {
    connectAgain: 'Connect again',
    tryAgain: 'Try again',
    openLinkAgain: 'If somebody sent you a link to connect for them, open that link again instead.'
  },

  scripts: {
    unreachable: 'This site cannot be reached just now.',
    tryAgain: 'Try again in a moment.',
    failed: 'That did not work. {detail} Try again in a moment.',
    showKey: { label: 'Show', name: 'Show the key' },
    hideKey: { label: 'Hide', name: 'Hide the key' },
    showField: { label: 'Show', name: 'Show: {field}' },
    hideField: { label: 'Hide', name: 'Hide: {field}' },
    nameMissing: 'Write your name, so that they know who asks.',
    copied: 'Copied.',
    found: '{count} of {total} services',
    foundNone: 'No service matches.',
    notCopied: 'This browser did not let it be copied. It is selected: copy it as you copy text.'
  } satisfies Omit<PageTexts, 'problems'>
}

type ProblemTexts = {
  /** What a user can make of an error; the problem itself is in English, for developers. */
  readonly texts: Readonly<Record<ErrorCode, { readonly title: string; readonly text: string }>>
  /** Introduces the problem's own detail. */
  readonly original: (detail: Html) => Html
}

/** A language other than English. */
export type Translation = typeof en & { readonly problems: ProblemTexts }

export type Messages = typeof en & { readonly problems?: ProblemTexts }
