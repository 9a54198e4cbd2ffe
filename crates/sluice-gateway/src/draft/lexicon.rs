//! The words that say what tools do and what their arguments decide.

/// Words with spaces between them, or phrases with commas.
#[derive(Clone, Copy)]
pub(super) struct List(&'static str);

impl List {
    /// Of words with spaces between them.
    pub(super) const fn of(words: &'static str) -> Self {
        Self(words)
    }

    /// Whether it has this word.
    pub(super) fn has(self, word: &str) -> bool {
        self.0.split(' ').any(|listed| listed == word)
    }

    /// Its phrases.
    pub(super) fn phrases(self) -> impl Iterator<Item = &'static str> {
        self.0.split(", ")
    }
}

/// Only reads, and what stands behind it is what is read.
pub(super) const LOOKS: List = List("get list search find fetch read lookup describe retrieve browse");

/// Only reads where it comes first: elsewhere it is a thing.
pub(super) const CHECKS: List = List(
    "check validate show view query summarize summarise calculate compare explain analyze analyse estimate inspect \
    preview peek whoami ls cat echo download",
);

/// The same of things: what is done with them stands behind them.
pub(super) const STATES: List = List("count stat help status info head tail tree history diff");

/// Runs something, or something somewhere.
pub(super) const EXECUTE: List = List(
    "run exec execute eval shell bash deploy apply invoke trigger restart kill install launch dispatch reboot \
    rollback sql graphql cypher",
);

/// Hands out rights, or takes them away.
pub(super) const GRANT: List = List(
    "grant revoke invite promote demote authorize authorise impersonate elevate unlock approve permit delegate deny",
);

/// Handing these out, or changing them, is handing out rights.
pub(super) const RIGHTS: List = List(
    "role roles permission permissions member members admin password token tokens access group owner \
    collaborator user account policy mfa credential credentials key keys share secret secrets iam binding \
    bindings grantee",
);

/// What was there is gone.
pub(super) const DESTROY: List = List(
    "delete remove drop purge erase wipe cancel destroy clear reset overwrite truncate unsubscribe disable \
    terminate close archive prune uninstall revert discard void expire detach unlink deactivate suspend ban \
    block",
);

/// Moves money: verbs, and then the things that verbs move.
pub(super) const PAY: List = List("pay transfer wire refund charge buy purchase withdraw deposit checkout donate");

/// What is moved by whatever changes it.
pub(super) const MONEY: List = List(
    "payment payments transaction payout money funds payroll refunds salary bonus bonuses order orders invoice \
    payee payees beneficiary",
);

/// What goes on acting after it was set up, and by which the rest is reached.
pub(super) const STANDING: List = List(
    "rule rules routine routines scene context instructions prompt notes standing delegate filter filters webhook webhooks hook hooks cron schedules automation automations workflow \
    workflows integration integrations subscription subscriptions dns firewall route routes certificate \
    pipeline forwarding preference preferences memory memories setting settings config configuration",
);

/// Changes what is run later.
pub(super) const CODE: List = List("commit merge rebase");

/// Somebody gets something.
pub(super) const SEND: List = List(
    "send post publish email mail notify message dm tweet reply forward share upload push broadcast comment \
    submit export sync sms announce deliver transmit mirror relay alert",
);

/// Changes something.
pub(super) const WRITE: List = List(
    "create update set write edit add save schedule move rename mark label insert append put patch modify change \
    replace copy make complete assign book reserve accept decline enable subscribe import toggle merge commit \
    register store upsert simulate start stop acknowledge ack confirm adjust renew reschedule release resolve \
    dismiss snooze pause resume activate issue redeem switch scale attach link bind follow unfollow pin star \
    vote rate sign record organize organise manage file fill order place raise lower increase decrease reopen \
    open join leave refresh rotate generate process decide reject configure remember learn tag untag hide react \
    sort reorder sell bid claim escalate transition checkin flag mute restore provision lock print click type \
    press fork clone alter rebuild reindex convert",
);

/// Of those, words that are things as well: behind a word of reading they say what is read.
pub(super) const THINGS: List = List(
    "file order place label link tag star issue record rate process store book copy release patch schedule sign \
    lock type fork vote claim scale press print change block email mail message post comment alert push sms \
    share invoice transaction payment payments transfer refund charge purchase deposit invite checkout wire bid \
    start stop open reply export import commit merge run trigger archive sync mute install shell launch update \
    add leave flag close permit delegate",
);

/// Of those, what may stand before the word of reading: `mail_search`.
pub(super) const NOUNS: List = List(
    "file order label link tag issue record email mail message post comment alert invoice transaction payment \
    payments store",
);

/// Words of reading that may stand last.
pub(super) const ENDINGS: List = List("get search find fetch read lookup retrieve browse");

/// Two words that do something where the first alone only reads.
pub(super) const PHRASES: &[[&str; 2]] =
    &[["check", "in"], ["check", "out"], ["check", "off"], ["show", "up"], ["read", "receipt"], ["tail", "off"]];

/// Whom something reaches.
pub(super) const RECIPIENT: List = List(
    "to recipient recipients cc bcc email emails participants attendees invitees user users username member \
    members phone channel channels chat room account iban beneficiary payee address audience person contact \
    receiver assignee reviewer reviewers grantee followers guests delegate forward notify",
);

/// Where something goes.
pub(super) const DESTINATION: List =
    List("url urls uri link host hostname domain endpoint webhook server site website bucket remote callback hook");

/// What is looked up.
pub(super) const QUERY: List = List("query q search filter where sql pattern keyword keywords expression");

/// What is run.
pub(super) const COMMAND: List = List("command cmd code script shell program statement args entrypoint");

/// A query that can do anything.
pub(super) const STATEMENT: List = List("sql graphql cypher statement command cmd script shell program");

/// How much.
pub(super) const AMOUNT: List = List("amount price sum total quantity budget");

/// Arguments that only what acts has.
pub(super) const SWITCHES: List = List("dry force confirm ensure autofix");

/// What a switch makes a tool do, beside sending, paying, handing out rights and destroying.
pub(super) const SWITCHED: List = List("create mark save write apply commit accept execute run acknowledge register");

/// Which one.
pub(super) const REFERENCE: List = List(
    "id ids path paths file files filename folder directory key repo repository branch ticket issue event group \
    role roles table document page source name tag ref sha zone records scope scopes",
);

/// Words for people.
pub(super) const TEXT: List =
    List("body text message comment subject content note notes description title reason summary markdown html");

/// Words of an argument's description by which it names a place.
pub(super) const PLACES: List = List("url urls uri webhook sftp callback");

/// Arguments that make a tool that reads tell somebody else.
pub(super) const TELLS: List = List(
    "notify notification notifications deliver delivery forward callback webhook hook mirror cc bcc share publish \
    upload send",
);

/// The same, where they stand inside others: by themselves they are what is looked for.
pub(super) const TELLS_INSIDE: List = List("to email emails recipient recipients attendees invitees phone target");

/// An argument of these two kinds of words says where a reply is written.
pub(super) const OUTPUT: List = List("save output out dest target export");
pub(super) const PATHS: List = List("path paths file files filename dir directory folder");

/// Words of a description by which a tool asks somebody outside the house.
pub(super) const OUTSIDE: List = List(
    "external, externally, third party, third parties, internet, the web, web search, websites, web pages, \
    online, bing, duckduckgo, other shops, public code, public data, public portals, open data, outside service, code search provider",
);

/// What is done to what a tool reads, or to what it is asked with, and changes nothing.
pub(super) const TOLD: List = List(
    "aggregated allowed analysed analyzed annotated associated assumed attributed authenticated averaged backed based \
     bounded built cached calculated called capped categorised categorized checked classified combined compared compressed \
     computed concatenated considered contained converted counted curated decoded deduplicated defined delayed delimited \
     denoted derived described designed detailed detected determined displayed documented encoded escaped estimated \
     evaluated excluded expected explained exported expressed extracted fetched flattened focused formatted grouped \
     guaranteed hashed highlighted hosted identified ignored implied included indented indexed inferred inherited inspected \
     intended interpolated interpreted limited listed localised localized located logged looked maintained mapped masked \
     matched measured mentioned missed named needed nested normalised normalized numbered obtained omitted owned paged \
     paginated parsed passed populated powered preferred prefixed prepended presented preserved previewed printed provided \
     quoted ranked received recognised recognized recommended referenced reflected related rendered represented required \
     retained retrieved returned reviewed rounded sampled scanned scoped scored scraped searched sectioned selected \
     separated sharded simulated skipped specified stated structured suffixed suggested summarised summarized supported \
     tailored tested tokenised tokenized tracked translated trimmed truncated typed understood unsupported used validated \
     verified versioned viewed visited weighted worded wrapped",
);
