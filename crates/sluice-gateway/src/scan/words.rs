//! Words that are meant for a model: a table of what they say, and how it is found.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use super::Kind;
use super::folded::{Word, letters, words};

/// What is looked for. `a|b` is either word, `..3` at most three words between, in one sentence. `<mail>` is an address that
/// is no example, `<url>` one on the web, `<secret>` a file of secrets, `<name>` a name as programs have them.
const SENTENCES: &[(Kind, &str)] = &[
    // Against what the model was told.
    (
        Kind::Override,
        "ignore|disregard|forget|override|overrule|bypass|discard|abandon ..4 previous|prior|earlier|above|preceding|foregoing ..3 instructions|instruction|rules|guidelines|guidance|prompts|prompt|directives|directions|commands|messages|training|constraints",
    ),
    (
        Kind::Override,
        "ignore|disregard|forget|override|bypass|violate|drop ..2 your ..3 instructions|instruction|rules|guidelines|prompt|policies|policy|restrictions|filters|guardrails|training|safeguards|constraints|programming",
    ),
    (
        Kind::Override,
        "ignore|disregard|override|bypass|forget ..3 system|developer|safety ..1 prompt|instructions|message|guidelines|guardrails",
    ),
    (Kind::Override, "ignore|disregard|forget ..2 everything|anything|all ..3 above|before|said|told"),
    (Kind::Override, "ignore|disregard|forget ..2 all|any|other ..2 instructions|directives|prompts"),
    (
        Kind::Override,
        "ignore|disregard ..3 user|user's|users ..3 request|instructions|instruction|wishes|question|preferences",
    ),
    (Kind::Override, "your new|real|actual|true ..2 instructions|task|objective|goal|purpose|role|instruction"),
    (Kind::Override, "you are now a|an|the|operating|acting|in"),
    (Kind::Override, "you are no longer"),
    (Kind::Override, "from now on ..2 you|your|always|every|all"),
    (
        Kind::Override,
        "takes|take|has|have precedence|priority over ..3 instructions|prompt|rules|guidelines|user|user's",
    ),
    (
        Kind::Override,
        "overrides|supersedes|replaces ..3 previous|prior|other|system|user|earlier|your ..2 instructions|instruction|prompt|rules",
    ),
    (
        Kind::Override,
        "ignoriere|missachte|vergiss ..3 vorherigen|bisherigen|obigen|früheren ..2 anweisungen|instruktionen|regeln",
    ),
    (Kind::Override, "ignore|ignorez|oublie|oubliez ..3 instructions ..2 précédentes|antérieures"),
    (Kind::Override, "ignora|ignore|olvida ..3 instrucciones ..2 anteriores|previas"),
    // Kept from the person.
    (
        Kind::Conceal,
        "do|must|should|shall|may|can not ..3 tell|mention|inform|reveal|disclose|admit|confess ..5 user|users|human|person|anyone|anybody|operator|customer",
    ),
    (
        Kind::Conceal,
        "don't|never|mustn't|shouldn't|cannot|can't|avoid ..3 tell|telling|mention|mentioning|inform|informing|reveal|revealing|disclose|disclosing|admit ..5 user|users|human|person|anyone|anybody|operator|customer",
    ),
    (
        Kind::Conceal,
        "without ..2 telling|mentioning|informing|revealing|alerting ..5 user|human|anyone|anybody|operator",
    ),
    (Kind::Conceal, "without ..2 user's|human's|operator's ..1 knowledge|awareness|noticing"),
    (
        Kind::Conceal,
        "do|must|should not ..1 mention|reveal|disclose|discuss|acknowledge ..2 this|these ..3 instruction|instructions|step|requirement|rule|message|to",
    ),
    (
        Kind::Conceal,
        "never|don't ..1 mention|reveal|disclose|discuss|acknowledge ..2 this|these ..3 instruction|instructions|step|requirement|rule|message|to",
    ),
    (Kind::Conceal, "keep|keeping ..4 secret|hidden|confidential ..2 from ..3 user|users|human|anyone|operator"),
    (Kind::Conceal, "hide|conceal ..5 from ..2 user|users|human|operator"),
    (Kind::Conceal, "user|human|operator must|should ..1 not|never ..1 know|notice|learn|realize|suspect"),
    (Kind::Conceal, "secretly|covertly|discreetly|surreptitiously"),
    (Kind::Conceal, "silently ..2 send|forward|upload|transmit|copy|collect|exfiltrate|append|include|read"),
    (Kind::Conceal, "no need|not necessary to ..1 tell|inform|mention|notify ..3 user|human|anyone"),
    (Kind::Conceal, "sage|sag|erzähle|verrate ..3 nutzer|benutzer|anwender ..3 nichts|nicht"),
    (Kind::Conceal, "ne dis|dites|mentionne|mentionnez ..4 utilisateur"),
    (Kind::Conceal, "no digas|menciones|informes|reveles ..4 usuario"),
    // Who speaks.
    (Kind::Marker, "begin|end|start of|the ..1 system|hidden|secret|admin ..1 prompt|instructions|message|override"),
    (
        Kind::Marker,
        "system|admin|developer override|notice|directive|alert mandatory|required|immediate|active|enabled|for",
    ),
    (
        Kind::Marker,
        "note|message|instruction|instructions|notice to|for ..1 ai|llm|llms|assistant|model|agent|agents|chatbot",
    ),
    // What no argument is for.
    (
        Kind::HandOver,
        "before|prior|first|must|always|also|then|please ..6 read|open|cat|fetch|include|attach|send|pass|retrieve|dump ..6 <secret>",
    ),
    (
        Kind::HandOver,
        "read|open|cat|fetch|access|get|copy|include|attach|retrieve|load ..6 <secret> ..6 pass|send|include|put|append|attach|post|upload|return|encode|forward|transmit",
    ),
    (
        Kind::HandOver,
        "pass|send|include|append|attach|put|insert|paste|copy|forward|exfiltrate|transmit|upload ..4 content|contents|text|value|data ..3 of ..4 <secret>",
    ),
    (
        Kind::HandOver,
        "pass|send|include|append|attach|put|insert|copy|forward|transmit|exfiltrate|dump|supply ..4 entire|full|whole|complete|all|previous ..4 conversation|chat|history|transcript|messages|prompt|prompts ..8 parameter|argument|field|note|sidenote|metadata|call|tool",
    ),
    (
        Kind::HandOver,
        "reveal|repeat|leak|disclose|output|print|include|send|pass|provide|append|put ..4 your ..2 system|initial|hidden|original|full ..1 prompt|instructions|message",
    ),
    (Kind::HandOver, "reveal|repeat|leak|disclose|include|send|pass|append|put|paste ..2 system prompt"),
    (
        Kind::HandOver,
        "include|send|pass|append|put|attach|forward|provide|transmit|insert ..4 any|all|every|user's|stored|known|available ..3 api|password|passwords|credential|credentials|secret|secrets|token|tokens|keys ..4 you|from|that|in ..4 conversation|context|seen|environment|memory|know|found|history|chat|parameter|field",
    ),
    (
        Kind::HandOver,
        "post|send|upload|forward|transmit|exfiltrate ..6 conversation|history|credentials|passwords|secrets|environment|tokens|keys|files|results|contents ..6 <url>|<mail>",
    ),
    // Other tools, other places.
    (
        Kind::Redirect,
        "all|every|each|any|always|also|must|instead|first|then|additionally|secretly ..4 send|sent|forward|forwarded|bcc|cc|copy|redirect|redirected|route|deliver|report ..6 <mail>",
    ),
    (Kind::Redirect, "bcc|forward|redirect|exfiltrate ..6 <mail>"),
    (
        Kind::Redirect,
        "recipient|recipients|destination|account|payee|address|iban ..4 must|should|always|to ..1 be|is|set ..6 <mail>",
    ),
    (
        Kind::Redirect,
        "when|whenever|if|before|after|every|each|for ..4 <name> ..8 must|always|change|replace|set|modify|add|override|redirect|rewrite|insert ..6 recipient|recipients|address|bcc|amount|account|number|destination|iban|payee|url|body",
    ),
    (
        Kind::Redirect,
        "when|whenever|if ..6 tool|tools|server|function ..3 is|are available|present|loaded|connected|enabled|installed ..6 must|always|should|all|every|use",
    ),
    (
        Kind::Redirect,
        "must|should|always|only|never|not ..2 use|call|invoke|prefer ..4 instead of ..3 other|any|all|another|every ..3 tool|tools|server|servers",
    ),
    (
        Kind::Redirect,
        "never|not use|call|invoke ..2 any|other|another ..2 tool|tools|server|servers ..3 for|because|as|since|they",
    ),
    (
        Kind::Redirect,
        "other|all ..2 tools|servers are|is deprecated|insecure|broken|unsafe|untrusted|malicious|disabled",
    ),
    // As many harmless servers speak.
    (Kind::Order, "you must|shall"),
    (Kind::Order, "you should ..1 always|never|first"),
    (Kind::Order, "you need|have|are ..1 to|required ..1 call|use|run|read|include|pass"),
    (Kind::Order, "must always|first"),
    (Kind::Order, "always ..1 call|use|invoke|run|include|pass|read|prefer|check|start"),
    (Kind::Order, "before|prior ..2 using|calling|invoking|running"),
    (Kind::Order, "never ..1 call|use|invoke|run|pass|show"),
    (Kind::Order, "do|must|should not ..2 show|display|expose|output|call|use"),
    (
        Kind::Order,
        "pass|send|include|provide|put|append|attach|supply ..4 content|contents|it|its|output|result|everything ..3 as|in|into|to|via ..4 parameter|argument|field|sidenote|note|context|metadata|feedback",
    ),
];

/// Marks that stand in what hosts send to models, and tags that make words look like the host's.
const MARKS: &[&str] = &[
    "<|im_start|>",
    "<|im_end|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "[inst]",
    "[/inst]",
    "<<sys>>",
    "<</sys>>",
    "[system]",
    "[/system]",
    "[system message]",
    "[system prompt]",
    "### system",
    "### instruction",
    "###system",
    "\n\nhuman:",
    "\n\nassistant:",
    "\nsystem:",
    "</tool_description>",
    "</description>",
    "</tools>",
    "</function>",
    "</functions>",
    "<!-- ai",
    "<!-- system",
    "<!-- assistant",
    "<!-- llm",
];
/// Such tags: `<IMPORTANT>`, `</system>`, `<critical level="1">`.
const TAGS: &[&str] = &[
    "important",
    "critical",
    "system",
    "instructions",
    "instruction",
    "system-reminder",
    "system_reminder",
    "system_prompt",
    "systemprompt",
    "system-prompt",
    "override",
    "hidden",
    "assistant",
    "urgent",
    "attention",
    "mandatory",
    "secret_instructions",
    "hidden_instructions",
    "priority",
    "sysadmin",
    "developer",
    "rules",
];

/// The table by the first words of its sentences.
static TABLE: LazyLock<BTreeMap<&str, Vec<Sentence>>> = LazyLock::new(|| {
    let mut table: BTreeMap<&str, Vec<Sentence>> = BTreeMap::new();
    for (kind, written) in SENTENCES {
        let steps = Step::all(written);
        for head in steps.first().map(|step| step.words.as_slice()).unwrap_or_default() {
            let rest = steps.get(1..).unwrap_or_default().to_vec();
            table.entry(head).or_default().push(Sentence { kind: *kind, rest });
        }
    }
    table
});

struct Sentence {
    kind: Kind,
    rest: Vec<Step>,
}

/// The next word of a sentence.
#[derive(Clone)]
struct Step {
    /// How many words may stand before it.
    gap: usize,
    /// Which words it can be.
    words: Vec<&'static str>,
}

impl Step {
    fn all(written: &'static str) -> Vec<Self> {
        let mut gap = 0;
        let mut steps = Vec::new();
        for part in written.split(' ') {
            match part.strip_prefix("..").and_then(|number| number.parse().ok()) {
                Some(number) => gap = number,
                None => {
                    steps.push(Self { gap, words: part.split('|').collect() });
                    gap = 0;
                }
            }
        }
        steps
    }
}

/// Looks for what the table says.
pub(super) fn look(text: &str, put: &mut impl FnMut(Kind, Range<usize>)) {
    let words = words(text);
    for (number, (word, at)) in words.iter().enumerate() {
        if *word == Word::SecretFile {
            put(Kind::SecretFile, at.clone());
        }
        let rest = words.get(number + 1..).unwrap_or_default();
        for sentence in spelled(word).iter().filter_map(|head| TABLE.get(head)).flatten() {
            if let Some(length) = continues(rest, &sentence.rest) {
                let last = words.get(number + length).map_or(at, |(_, last)| last);
                put(sentence.kind, at.start..last.end);
            }
        }
    }
    if let Some(mark) = mark(text) {
        put(Kind::Marker, super::characters::range(text, mark));
    }
}

/// How many words go on as the steps say.
fn continues(words: &[(Word, Range<usize>)], steps: &[Step]) -> Option<usize> {
    let Some((step, later)) = steps.split_first() else { return Some(0) };
    for (skipped, (word, _)) in words.iter().enumerate().take(step.gap + 1) {
        if spelled(word).iter().any(|spelled| step.words.contains(spelled)) {
            let length = continues(words.get(skipped + 1..).unwrap_or_default(), later);
            if let Some(length) = length {
                return Some(skipped + 1 + length);
            }
        }
        // All of it stands in one sentence.
        if *word == Word::End {
            return None;
        }
    }
    None
}

/// How the table writes a word; a name may also be meant as what it spells.
fn spelled(word: &Word) -> Vec<&str> {
    match word {
        Word::Plain(text) => vec![text],
        Word::Name(text) => vec![text, "<name>"],
        Word::Mail => vec!["<mail>"],
        Word::Url => vec!["<url>"],
        Word::SecretFile => vec!["<secret>"],
        Word::End => Vec::new(),
    }
}

/// The line that holds such a mark.
fn mark(text: &str) -> Option<&str> {
    let plain = |text: &str| letters(text).to_lowercase().replace("&lt;", "<").replace("&gt;", ">");
    let whole = plain(text);
    let is_mark = |small: &str| MARKS.iter().any(|mark| small.contains(mark)) || has_tag(small);
    if !is_mark(&whole) {
        return None;
    }
    // A mark over several lines is in none of them.
    text.lines().find(|line| is_mark(&plain(line))).or(Some(text))
}

fn has_tag(small: &str) -> bool {
    small.match_indices('<').any(|(at, _)| {
        let inner = small.get(at + 1..).unwrap_or_default();
        let inner = inner.strip_prefix('/').unwrap_or(inner).trim_start();
        let end = inner.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(inner.len());
        let name = inner.get(..end).unwrap_or_default();
        let closes = inner.get(end..).is_some_and(|rest| rest.find('>').is_some_and(|close| close < 60));
        TAGS.contains(&name) && closes
    })
}
