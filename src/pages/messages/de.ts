import { type Html, html } from '../html.ts'
import { control, type Translation } from './en.ts'

const theApplications = (app: string | undefined): Html =>
  app === undefined ? html`die Anwendungen dieser Website` : html`<bdi>${app}</bdi>`
const may = (app: string | undefined): string => (app === undefined ? 'dürfen' : 'darf')
const can = (app: string | undefined): string => (app === undefined ? 'können' : 'kann')
/** `14 Tage` -> `14 Tagen`; the plurals of the other units have one form. */
const toDative = (duration: string): string => duration.replace(/Tage$/, 'Tagen')

export const de: Translation = {
  byGrantkeeper: 'von Grantkeeper',
  cancel: 'Abbrechen',
  done: 'Fertig',
  signIn: 'Anmelden',
  signInAgain: 'Wieder anmelden',
  backToConnections: 'Zurück zu Ihren Verbindungen',
  connectionsNeedScript: 'Zum Trennen und Abmelden wird JavaScript gebraucht, das in diesem Browser ausgeschaltet ist.',
  thatNeedsScript: 'Dazu wird JavaScript gebraucht, das in diesem Browser ausgeschaltet ist.',
  mentionCode: code => html`Wenn Sie um Hilfe bitten, nennen Sie den Code ${code}.`,
  mentionCodeAndRequest: (code, request) => html`Wenn Sie um Hilfe bitten, nennen Sie den Code ${code} und die Anfrage ${request}.`,

  connections: {
    title: 'Verbindungen',
    lead: app => html`Wählen Sie die Dienste, die ${theApplications(app)} für Sie nutzen ${may(app)}.`,
    search: 'Dienst suchen',
    none: 'Hier ist noch kein Dienst eingerichtet. Wer diese Website betreibt, kann einen hinzufügen.',
    factWithPassword: {
      title: 'Sie geben nicht mehr als nötig',
      text: 'Sie melden sich auf der Seite des Dienstes selbst an oder geben einen Schlüssel, den Sie dort erstellen. Nur wo ein Dienst beides nicht hat, geben Sie ein Passwort.'
    },
    facts: [
      {
        title: 'Sie geben nie ein Passwort heraus',
        text: 'Sie melden sich auf der Seite des Dienstes selbst an oder fügen einen Schlüssel ein, den Sie dort erstellen.'
      },
      {
        title: 'Der Zugang bleibt verschlossen',
        text: 'Er liegt verschlüsselt auf diesem Server. Keine Anwendung und kein Browser bekommt ihn zu sehen.'
      },
      {
        title: 'Sie können ihn jederzeit beenden',
        text: 'Trennen Sie die Verbindung, dann endet der Zugang hier sofort – und auch beim Dienst, wenn er davon erfahren kann.'
      }
    ]
  },

  signOutAll: {
    hint: (duration, notBefore, latest) =>
      html`Benutzen auch andere diesen Computer? Dann melden Sie sich ab. Sonst endet all dies nach ${toDative(duration)} ohne Benutzung${notBefore === undefined ? '' : html` (nicht vor dem ${notBefore}, da Sie jemand anderen gebeten haben)`}, und spätestens am ${latest}.`,
    label: 'Abmelden und alles trennen',
    question: 'Abmelden?',
    consequence:
      'Jede Verbindung auf dieser Seite wird beendet, und jeder Link, der auf jemand anderen wartet. Sie können sich jederzeit wieder verbinden.',
    success: 'Sie sind abgemeldet, und alle Verbindungen sind beendet.'
  },

  user: {
    signedInAs: name => html`Angemeldet als ${name}`,
    menu: name => `Konto: ${name}`,
    signOut: {
      label: 'Abmelden',
      question: 'Abmelden?',
      consequence: 'Dieser Browser wird abgemeldet. Ihre Verbindungen bleiben, und Anwendungen können sie weiter für Sie nutzen.',
      success: 'Sie sind in diesem Browser abgemeldet. Ihre Verbindungen bleiben.'
    },
    disconnectAll: {
      hint: 'Ihre Verbindungen bleiben, wenn Sie sich abmelden: für jeden Browser, in dem Sie sich anmelden, und für alles, was inzwischen für Sie arbeitet.',
      label: 'Alles trennen',
      question: 'Alles trennen?',
      consequence:
        'Jede Verbindung auf dieser Seite wird beendet, für jeden Browser und jede Anwendung, und jeder Link, der auf jemand anderen wartet. Sie können sich jederzeit wieder verbinden.',
      success: 'Alles ist getrennt.'
    }
  },

  takeover: {
    title: 'Waren Sie das?',
    text: list =>
      html`Bevor Sie sich angemeldet haben, war dieser Browser mit ${list} verbunden. Behalten Sie das, wenn Sie es selbst waren. Kann es jemand anders gewesen sein, trennen Sie es.`,
    keep: {
      label: () => 'Behalten',
      question: list => `${list} behalten?`,
      consequence: count =>
        `Von nun an ${count > 1 ? 'gehören die Verbindungen' : 'gehört die Verbindung'} Ihnen, in jedem Browser, in dem Sie sich anmelden.`,
      success: (list, count) => `${list} ${count > 1 ? 'gehören' : 'gehört'} jetzt Ihnen.`
    },
    disconnect: {
      label: () => 'Trennen',
      question: list => `${list} trennen?`,
      consequence: 'Was dieser Browser vorher verbunden hatte, wird beendet. Die Verbindungen auf dieser Seite bleiben.',
      success: (list, count) => `${list} ${count > 1 ? 'sind' : 'ist'} getrennt.`
    }
  },

  account: {
    status: { connected: 'Verbunden', reconnect_required: 'Zugang ist beendet', disconnected: 'Nicht verbunden' },
    numbered: position => `Konto ${position}`,
    named: (title, label) => `${title}, ${label}`,
    default: 'Standard',
    defaultHint: 'Anwendungen nutzen das Standardkonto, wenn sie kein anderes nennen.',
    count: count => `${count} Konten`,
    keyHint: title => `Sie erstellen bei ${title} einen Schlüssel und fügen ihn hier ein.`,
    keyEnded: title => `${title} nimmt diesen Schlüssel nicht mehr an. Verbinden Sie neu, um ${title} weiter zu nutzen.`,
    connectionEnded: title => `${title} nimmt diese Verbindung nicht mehr an. Verbinden Sie neu, um ${title} weiter zu nutzen.`,
    renewalFails: (title, since) =>
      html`Die Erneuerung des Zugangs bei ${title} misslingt seit ${since}. Sie wird von selbst wieder versucht, und nichts geht verloren.`,
    missingScopes: (scopes, count) =>
      html`Nicht erlaubt: ${scopes}. Verbinden Sie neu, um ${count > 1 ? 'diese Rechte' : 'dieses Recht'} zu erlauben.`,
    details: {
      account: 'Konto',
      since: 'Seit',
      lastUsed: 'Zuletzt genutzt',
      ends: 'Endet',
      connectedBy: 'Verbunden durch',
      allowed: 'Erlaubt'
    },
    key: 'Schlüssel',
    withKey: maker => html`${maker}, mit einem Schlüssel`,
    connect: control('Verbinden', of => `Verbinden: ${of}`),
    reconnect: control('Neu verbinden', of => `Neu verbinden: ${of}`),
    instead: {
      oauth2: control('Stattdessen anmelden', of => `Stattdessen anmelden: ${of}`),
      api_key: control('Stattdessen mit Schlüssel', of => `Stattdessen mit Schlüssel: ${of}`)
    },
    more: control('Mehr', of => `Mehr: ${of}`),
    add: control('Weiteres Konto hinzufügen', of => `Weiteres Konto hinzufügen: ${of}`),
    addInstead: {
      oauth2: control('Eines durch Anmeldung hinzufügen', of => `Eines durch Anmeldung hinzufügen: ${of}`),
      api_key: control('Eines mit Schlüssel hinzufügen', of => `Eines mit Schlüssel hinzufügen: ${of}`)
    },
    addNote: title => `Dieses Konto kommt zu dem bei ${title} hinzu, das schon verbunden ist, und ändert an ihm nichts.`,
    replaceNote: label => `Der Schlüssel tritt an die Stelle von ${label}.`,
    disconnect: {
      label: 'Trennen',
      name: of => `Trennen: ${of}`,
      question: of => `${of} trennen?`,
      keyConsequence: (title, app) =>
        `${app === undefined ? 'Die Anwendungen dieser Website können' : `${app} kann`} die Verbindung nicht mehr nutzen. Der Schlüssel selbst bleibt gültig, bis Sie ihn bei ${title} löschen.`,
      consequence: (title, app) =>
        `${app === undefined ? 'Die Anwendungen dieser Website können' : `${app} kann`} die Verbindung nicht mehr nutzen. Bei ${title} wird nichts gelöscht, und Sie können sich jederzeit wieder verbinden.`,
      otherBrowsers: title =>
        `Andere Browser und Geräte, in denen Sie dasselbe Konto bei ${title} verbunden haben, werden vielleicht mit getrennt.`,
      success: of => `${of} ist getrennt.`
    },
    choice: {
      title: (title, of) => `${title}: ${of}`,
      change: control('Ändern', of => `Ändern: ${of}`),
      success: title => `${title} nutzt jetzt {name}.`
    },
    makeDefault: {
      label: 'Zum Standard machen',
      name: of => `Zum Standard machen: ${of}`,
      success: (title, label) => `Anwendungen, die kein Konto nennen, nutzen jetzt ${label} von ${title}.`
    },
    invite: control('Jemand anderen bitten', of => `Jemand anderen bitten, zu verbinden: ${of}`),
    docs: control('Für Entwickler (öffnet einen neuen Tab)', of => `Für Entwickler (öffnet einen neuen Tab): die API von ${of}`),
    another: title => `ein weiteres Konto bei ${title}`
  },

  keyForm: {
    dialogTitle: title => `${title} mit einem Schlüssel verbinden`,
    introFields: title => `So finden Sie bei ${title}, wonach unten gefragt wird:`,
    intro: title => `Ein Schlüssel ist ein langer Code, mit dem diese Website ${title} nutzen kann. So bekommen Sie einen:`,
    keysPage: title => `Schlüssel bei ${title} erstellen (öffnet einen neuen Tab)`,
    field: title => `Ihr Schlüssel von ${title}`,
    hint: title => `Er wird ${title} einmal gezeigt, um zu sehen, ob er funktioniert, und verschlüsselt auf diesem Server aufbewahrt.`,
    hintUnchecked: 'Er wird verschlüsselt auf diesem Server aufbewahrt.',
    progress: title => `${title} wird gefragt …`,
    submit: 'Verbinden',
    noScript: html`<strong>Zum Einfügen eines Schlüssels wird JavaScript gebraucht, das in diesem Browser ausgeschaltet ist.</strong> Schalten Sie es für diese Website ein, und öffnen Sie diese Seite noch einmal.`
  },

  fields: {
    missing: 'Füllen Sie dieses Feld aus.',
    invalid: example => `Das passt hier nicht. Es sieht so aus: ${example}`,
    invalidSecret: 'Das passt hier nicht. Kopieren Sie es noch einmal.',
    invalidChoice: 'Wählen Sie eine der Möglichkeiten.',
    choose: 'Bitte wählen …'
  },

  goodToKnow: plan => html`<strong>Gut zu wissen:</strong> ${plan}`,
  signInAt: title => `Bei ${title} anmelden`,
  useKey: 'Mit einem Schlüssel',
  orUseKey: 'Oder mit einem Schlüssel',

  connectPage: {
    title: title => `${title} verbinden`,
    titleAnother: title => `Ein weiteres Konto bei ${title} verbinden`,
    lead: (description, app) =>
      html`${description}: Das ${can(app)} ${theApplications(app)} für Sie nutzen, sobald die Verbindung besteht.`,
    unsolicited: title =>
      `${title} hat Sie mit einem Zugang hierher geschickt, um den diese Website nicht gebeten hat. Er wird daher nicht benutzt, und nichts hat sich geändert. Verbinden Sie ${title} hier, um den Vorgang abzuschließen.`,
    accountsStay: (list, count) =>
      html`Schon verbunden: ${list}. ${count > 1 ? 'Diese Konten bleiben' : 'Dieses Konto bleibt'}, und das Konto, das Sie jetzt wählen, kommt hinzu.`,
    replaces: (title, { label, isDefault, since }) =>
      html`Das Konto, das Sie bei ${title} wählen, tritt an die Stelle von ${label}${isDefault ? ' (Standardkonto)' : ''}, verbunden am ${since}.`,
    replacesOnly: (title, { name, since }) =>
      html`${title} wurde am ${since}${name && html` als ${name}`} verbunden. Das Konto, das Sie bei ${title} wählen, tritt an die Stelle dieser Verbindung.`,
    addInstead: 'Stattdessen ein weiteres Konto hinzufügen'
  },

  invitation: {
    somebody: 'Jemand',
    title: (inviter, title) => `${inviter} bittet Sie, ${title} zu verbinden`,
    heading: (inviter, title) => html`${inviter} bittet Sie, ${title} zu verbinden`,
    lead: (description, site, inviter) => html`${description}: Das könnten die Anwendungen von ${site} dann für ${inviter} nutzen.`,
    failed: title => `${title} wurde nicht verbunden.`,
    onlyIfKnown: 'Stimmen Sie nur zu, wenn Sie wissen, wer Ihnen diesen Link geschickt hat: Jeder kann jeden Namen angeben.',
    noSecrets: inviter =>
      html`${inviter} bekommt weder Ihr Passwort noch Ihren Schlüssel oder den Zugang selbst zu sehen. Er liegt verschlüsselt auf diesem Server.`,
    expires: time => html`Der Link funktioniert einmal, bis ${time}.`,
    yourName: 'Ihr Name, falls sichtbar sein soll, wer verbunden hat',
    scopes: scopes => html`Worum gebeten wird: ${scopes}`,
    continue: title => `Weiter zu ${title}`,
    declineHint: 'Das möchten Sie nicht? Lehnen Sie ab, dann kann niemand den Link mehr benutzen.',
    decline: 'Ablehnen'
  },

  invitations: {
    title: 'Wartet auf jemand anderen',
    anotherAccount: title => `${title}, ein weiteres Konto`,
    open: (inviter, until) => html`${inviter === undefined ? '' : html`gebeten von ${inviter}, `}bis ${until}`,
    withdraw: {
      label: 'Zurückziehen',
      name: of => `Zurückziehen: Einladung für ${of}`,
      question: of => `Die Einladung für ${of} zurückziehen?`,
      consequence: 'Ihr Link funktioniert dann nicht mehr, wer immer ihn hat. Sie können jederzeit wieder um eine Verbindung bitten.',
      success: of => `Die Einladung für ${of} ist zurückgezogen.`
    },
    dialog: {
      heading: of => html`Jemand anderen bitten, zu verbinden: ${of}`,
      intro:
        'Muss das jemand anders erlauben, zum Beispiel eine Administratorin? Sie bekommen einen Link zum Weiterschicken. Wer ihn öffnet, meldet sich selbst an und sieht nichts von Ihnen.',
      replaces: 'Ihre jetzige Verbindung bleibt, bis das geschehen ist. Dann tritt die neue an ihre Stelle.',
      adds: 'Was schon verbunden ist, bleibt, und das neue Konto kommt hinzu.',
      add: 'Das neue Konto zu dem verbundenen hinzufügen',
      yourName: 'Ihr Name, wie er dort erscheint',
      submit: 'Link erstellen',
      link: of => html`Der Link für die Person, die verbinden soll: ${of}`,
      copy: 'Kopieren',
      mail: 'E-Mail schreiben',
      mailSubject: app => `Bitte verbinden Sie {service} für ${app}`,
      mailBody: app =>
        `Guten Tag,\n\nbitte verbinden Sie {service}, damit ${app} es für mich nutzen kann:\n\n{link}\n\nSie melden sich selbst an, und ich sehe nichts davon. Der Link funktioniert einmal, bis {time}.\n\n{name}`,
      onlyToThem: 'Schicken Sie ihn selbst, und nur an die Person, die Sie meinen. Er wird nicht noch einmal gezeigt.',
      expires: (time, endsWithSession) =>
        html`Er funktioniert einmal, bis ${time}. Sie brauchen vorher nicht wiederzukommen. Er endet früher, wenn Sie ${endsWithSession ? 'sich abmelden oder ' : ''}ihn zurückziehen.`,
      onlyTheirs: of => html`Nur diese Person sieht die Anmeldung: ${of}. Ist sie fertig, steht auf der Karte hier „Verbunden“.`
    }
  },

  thanks: {
    title: 'Vielen Dank',
    text: title =>
      `${title ?? 'Der Dienst'} ist für die Person verbunden, die Sie gebeten hat. Mehr ist nicht zu tun: Sie können diese Seite schließen.`,
    end: title =>
      `Um den Zugang später zu beenden, bitten Sie diese Person, ihn zu trennen${title === undefined ? '' : `, oder nehmen Sie ihn in Ihren Einstellungen bei ${title} zurück`}.`
  },
  declined: {
    title: 'Abgelehnt',
    text: 'Nichts wurde verbunden, und der Link funktioniert nicht mehr. Sie können diese Seite schließen.',
    notTold: 'Die Person, die Sie gebeten hat, erfährt davon nichts. Soll sie es wissen, sagen Sie es ihr.'
  },

  result: {
    connected: title => `${title} ist verbunden`,
    connectedAs: (title, account) => html`${title} ist als ${account} verbunden`,
    usable: app =>
      app === undefined
        ? html`Die Anwendungen dieser Website können die Verbindung jetzt nutzen.`
        : html`<bdi>${app}</bdi> kann die Verbindung jetzt nutzen.`,
    choice: (choice, name, count) =>
      html`${choice}: ${name}, eine von ${count} Möglichkeiten. Unter Ihren Verbindungen können Sie das ändern.`,
    stays: title => `${title} bleibt verbunden wie bisher`,
    notConnected: title => `${title} wurde nicht verbunden`,
    notAdded: title => `Kein weiteres Konto bei ${title} wurde verbunden`,
    retry: title => `${title} noch einmal versuchen`,
    closeWindow: 'Sie können dieses Fenster schließen und dort weitermachen, wo Sie hergekommen sind.'
  },

  reasons: {
    denied:
      'Der Zugang wurde dort nicht erlaubt. Wenn das ein Versehen war, verbinden Sie noch einmal und erlauben Sie den Zugang. Bei manchen Konten muss das ein Admin tun.',
    tooLate: 'Es hat zu lange gedauert, oder es wurde zweimal geantwortet. Verbinden Sie noch einmal.',
    tryLater: 'Der Dienst hat gerade selbst ein Problem. Warten Sie ein paar Minuten, und verbinden Sie noch einmal.',
    timeout: 'Der Dienst hat zu lange nicht geantwortet. Warten Sie ein paar Minuten, und verbinden Sie noch einmal.',
    signInFirst: 'Der Dienst möchte, dass Sie sich zuerst dort anmelden. Tun Sie das, und verbinden Sie noch einmal.',
    misconfigured: 'Wer diese Website betreibt, muss ihre Einstellungen berichtigen; bis dahin hilft es nicht, noch einmal zu verbinden.',
    none: 'Der Dienst hat keinen Grund genannt. Verbinden Sie noch einmal; hilft das nicht, fragen Sie, wer diese Website betreibt.'
  },

  login: {
    refused: 'Sie sind nicht angemeldet',
    reasons: {
      denied: 'Die Anmeldung wurde dort nicht erlaubt. Wenn das ein Versehen war, melden Sie sich noch einmal an.',
      loginRequired: 'Sie sind dort nicht angemeldet, und um eine Anmeldung wurde nicht gebeten.',
      accountUnclear: 'Es war nicht klar, welches Ihrer Konten Sie meinen.',
      consentRequired: 'Dort wird zuerst Ihre Zustimmung gebraucht.',
      interactionRequired: 'Dort werden Sie zuerst etwas gefragt.',
      none: 'Ein Grund wurde nicht genannt. Hält das an, fragen Sie, wer diese Website betreibt.'
    },
    signedOut: 'Sie sind abgemeldet',
    connectionsStay: 'Ihre Verbindungen bleiben, bis Sie sich wieder anmelden, auch für die Anwendungen, die sie für Sie nutzen.'
  },

  error: {
    connectAgain: 'Noch einmal verbinden',
    tryAgain: 'Noch einmal versuchen',
    openLinkAgain: 'Hat Ihnen jemand einen Link geschickt, damit Sie etwas verbinden, dann öffnen Sie stattdessen diesen Link noch einmal.'
  },

  problems: {
    original: detail => html`Im Wortlaut: ${detail}`,
    texts: {
      api_key_malformed: {
        title: 'Das ist kein API-Schlüssel',
        text: 'Was Sie eingefügt haben, kann kein Schlüssel sein. Kopieren Sie ihn noch einmal vollständig, ohne weiteren Text.'
      },
      header_rejected: { title: 'Ein Header wurde abgelehnt', text: 'Die Anfrage enthält einen Header, der hier nicht angenommen wird.' },
      parameters_invalid: {
        title: 'Die Angaben sind ungültig',
        text: 'Eine Angabe der Adresse oder des Formulars ist hier nicht möglich. Gehen Sie zurück, und wählen Sie noch einmal.'
      },
      path_rejected: { title: 'Der Pfad wurde abgelehnt', text: 'Diese Adresse wird hier nicht angenommen.' },
      request_malformed: { title: 'Die Anfrage war nicht lesbar', text: 'Laden Sie die Seite neu, und versuchen Sie es noch einmal.' },
      return_to_rejected: {
        title: 'Die Rücksprungadresse wurde abgelehnt',
        text: 'Die Seite, zu der es danach zurückgehen sollte, ist hier nicht erlaubt. Ihr Betreiber kann das ändern.'
      },
      state_invalid: {
        title: 'Dieser Vorgang lässt sich nicht abschließen',
        text: 'Er ist abgelaufen, schon abgeschlossen oder wurde in einem anderen Browser begonnen. Nichts wurde verbunden. Beginnen Sie noch einmal.'
      },
      connection_required: { title: 'Nicht verbunden', text: 'Dieser Dienst ist für Sie nicht verbunden. Verbinden Sie ihn zuerst.' },
      reconnect_required: {
        title: 'Die Verbindung ist beendet',
        text: 'Der Dienst nimmt diese Verbindung nicht mehr an. Verbinden Sie ihn neu.'
      },
      token_invalid: { title: 'Das Token ist ungültig', text: 'Die Anwendung hat ein Token geschickt, das nicht gilt.' },
      user_required: {
        title: 'Niemand ist angemeldet',
        text: 'In diesem Browser ist niemand angemeldet, oder die Sitzung ist zu Ende. Melden Sie sich an.'
      },
      csrf_rejected: {
        title: 'Die Anfrage wurde abgelehnt',
        text: 'Sie kam nicht von einer Seite, von der sie kommen darf. Öffnen Sie die Seite oder den Link noch einmal.'
      },
      not_allowed: { title: 'Das ist hier nicht erlaubt', text: 'Dazu fehlt hier die Berechtigung.' },
      user_mismatch: {
        title: 'Jemand anders hat diesen Vorgang begonnen',
        text: 'Das eben verbundene Konto wird hier nicht für Sie verwendet; sein Zugang wurde zurückgegeben. Beginnen Sie noch einmal.'
      },
      connection_unknown: {
        title: 'Keine solche Verbindung',
        text: 'Diese Verbindung gibt es nicht oder nicht mehr. Laden Sie die Seite neu.'
      },
      not_found: { title: 'Hier ist nichts', text: 'Unter dieser Adresse gibt es keine Seite.' },
      provider_unknown: { title: 'Kein solcher Dienst', text: 'Einen Dienst dieses Namens gibt es hier nicht, oder er ist ausgeschaltet.' },
      method_not_allowed: { title: 'Methode nicht erlaubt', text: 'So lässt sich diese Adresse nicht benutzen.' },
      request_timeout: { title: 'Die Anfrage kam nicht rechtzeitig an', text: 'Versuchen Sie es noch einmal.' },
      invitation_invalid: {
        title: 'Diese Einladung gilt nicht mehr',
        text: 'Sie wurde schon benutzt, abgelehnt oder zurückgezogen, oder sie ist abgelaufen. Bitten Sie um einen neuen Link.'
      },
      body_too_large: { title: 'Die Anfrage ist zu groß', text: 'Was geschickt wurde, ist größer als hier erlaubt.' },
      api_key_rejected: {
        title: 'Der Schlüssel wurde nicht angenommen',
        text: 'Der Dienst nimmt diesen Schlüssel nicht an. Prüfen Sie, ob er vollständig kopiert und dort noch gültig ist.'
      },
      rate_limited: { title: 'Zu viele Anfragen', text: 'Warten Sie eine Minute, und versuchen Sie es noch einmal.' },
      internal_error: {
        title: 'In Grantkeeper ist etwas schiefgegangen',
        text: 'Das ist ein Fehler auf diesem Server. Geben Sie die Kennung der Anfrage an den Betreiber weiter.'
      },
      client_rejected: {
        title: 'Der Dienst lehnt dieses Gateway ab',
        text: 'Wer diese Website betreibt, muss ihre Einstellungen berichtigen.'
      },
      provider_unavailable: {
        title: 'Der Dienst ist nicht erreichbar',
        text: 'Er antwortet gerade nicht, wie er soll. Warten Sie ein paar Minuten, und versuchen Sie es noch einmal.'
      },
      issuer_unavailable: {
        title: 'Die Anmeldung lässt sich gerade nicht prüfen',
        text: 'Der Anmeldedienst ist nicht erreichbar. Versuchen Sie es gleich noch einmal.'
      },
      retry_request: { title: 'Bitte noch einmal senden', text: 'Der Zugang wurde gerade erneuert. Senden Sie die Anfrage noch einmal.' },
      store_unavailable: {
        title: 'Grantkeeper erreicht seinen Speicher nicht',
        text: 'Ihre Verbindungen sind nicht verloren. Versuchen Sie es gleich noch einmal.'
      },
      provider_timeout: {
        title: 'Der Dienst hat nicht rechtzeitig geantwortet',
        text: 'Warten Sie ein paar Minuten, und versuchen Sie es noch einmal.'
      }
    }
  },

  scripts: {
    unreachable: 'Diese Website ist gerade nicht erreichbar.',
    tryAgain: 'Versuchen Sie es gleich noch einmal.',
    failed: 'Das hat nicht geklappt. {detail} Versuchen Sie es gleich noch einmal.',
    showKey: { label: 'Zeigen', name: 'Zeigen: Schlüssel' },
    hideKey: { label: 'Verbergen', name: 'Verbergen: Schlüssel' },
    showField: { label: 'Zeigen', name: 'Zeigen: {field}' },
    hideField: { label: 'Verbergen', name: 'Verbergen: {field}' },
    nameMissing: 'Geben Sie Ihren Namen an, damit klar ist, wer bittet.',
    copied: 'Kopiert.',
    found: '{count} von {total} Diensten',
    foundNone: 'Kein Dienst passt dazu.',
    notCopied: 'Dieser Browser hat das Kopieren nicht erlaubt. Der Link ist markiert: Kopieren Sie ihn wie jeden Text.'
  }
}
