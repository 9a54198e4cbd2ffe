//! Words as a model takes them: without what is unseen, letters that look alike as one letter, everything small.

use std::ops::Range;

use sluice_core::text::is_unseen;

/// A word, or something that stands for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// In small letters.
    Plain(String),
    /// A name such as programs have: `send_email`, `sendEmail`.
    Name(String),
    /// An address of mail that is no example.
    Mail,
    /// An address on the web.
    Url,
    /// The name of a file in which secrets are kept.
    SecretFile,
    /// Where a sentence ends.
    End,
}

/// Words of a text with their places.
pub(super) fn words(text: &str) -> Vec<(Word, Range<usize>)> {
    let mut words = Vec::new();
    for chunk in text.split_whitespace() {
        let at = super::characters::range(text, chunk);
        let plain = letters(chunk);
        let inner = plain.trim_matches(|c: char| c.is_ascii_punctuation() && c != '~' && c != '/' && c != '.');
        let core = inner.trim_end_matches('.');
        if is_secret_file(core) {
            words.push((Word::SecretFile, at.clone()));
        } else if let Some(word) = address(core) {
            words.push((word, at.clone()));
        } else {
            let split = |c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '_' | '-'));
            for part in plain.split(split).filter(|part| part.contains(char::is_alphanumeric)) {
                words.push((word(part.trim_matches(['\'', '-', '_'])), at.clone()));
            }
        }
        if plain.trim_end_matches(['"', '\'', ')', '*', '`']).ends_with(['.', '!', '?', ';']) {
            words.push((Word::End, at));
        }
    }
    words
}

fn word(part: &str) -> Word {
    let inner = part.get(1..).unwrap_or_default();
    let is_camel = part.starts_with(char::is_lowercase) && inner.contains(char::is_uppercase);
    if part.contains('_') || is_camel { Word::Name(part.to_lowercase()) } else { Word::Plain(part.to_lowercase()) }
}

/// The text without what nobody sees, in the letters that it looks like. Places are no longer those of the text.
pub(super) fn letters(text: &str) -> String {
    text.chars().filter(|c| !is_unseen(*c) || *c == '\n').map(looks_like).collect()
}

/// The letter of the Latin alphabet that another one is taken for.
fn looks_like(c: char) -> char {
    let offset = |first: u32| u32::from(c).saturating_sub(first);
    let ascii = |code: u32| char::from_u32(code).unwrap_or(c);
    match c {
        '\u{ff01}'..='\u{ff5e}' => ascii(offset(0xff01) + 0x21),
        // Bold, italic, script and the like: alphabets of 26 capitals and 26 small letters, one behind the other.
        '\u{1d400}'..='\u{1d6a3}' => match offset(0x1d400) % 52 {
            n @ 0..26 => ascii(n + 0x41),
            n => ascii(n - 26 + 0x61),
        },
        '\u{24b6}'..='\u{24cf}' => ascii(offset(0x24b6) + 0x41),
        '\u{24d0}'..='\u{24e9}' => ascii(offset(0x24d0) + 0x61),
        'а' | 'α' => 'a',
        'е' | 'ε' => 'e',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'с' => 'c',
        'у' => 'y',
        'х' => 'x',
        'і' | 'ι' => 'i',
        'ѕ' => 's',
        'ј' => 'j',
        'һ' => 'h',
        'ԁ' => 'd',
        'ν' => 'v',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'Е' | 'Ε' => 'E',
        'І' | 'Ι' => 'I',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Н' | 'Η' => 'H',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'С' => 'C',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        'Ѕ' => 'S',
        '\u{2018}' | '\u{2019}' | '\u{2bc}' => '\'',
        '\u{a0}' => ' ',
        c => c,
    }
}

/// An address that somebody could be reached at.
fn address(word: &str) -> Option<Word> {
    let small = word.to_lowercase();
    if let Some((_, host)) = small.split_once("://") {
        return (!is_example(host)).then_some(Word::Url);
    }
    let (user, host) = small.trim_start_matches("mailto:").split_once('@')?;
    let is_mail = !user.is_empty() && host.contains('.') && !host.contains(['@', '/', '<', '{', ':']);
    let is_somebody = !is_example(host) && !user.contains(['<', '{', '/']);
    (is_mail && is_somebody).then_some(Word::Mail)
}

/// Hosts that stand for any host in manuals.
fn is_example(host: &str) -> bool {
    const EXAMPLES: [&str; 11] = [
        "example.com",
        "example.org",
        "example.net",
        "company.com",
        "domain.com",
        "acme.com",
        "acme.org",
        "email.com",
        "test.com",
        "localhost",
        "127.0.0.1",
    ];
    let host = host.split(['/', ':', '?', '#']).next().unwrap_or_default();
    let ends = |end: &&str| host == *end || host.strip_suffix(*end).is_some_and(|rest| rest.ends_with('.'));
    EXAMPLES.iter().any(ends) || [".example", ".test", ".invalid"].iter().any(|end| host.ends_with(end))
}

/// Names of files in which secrets are kept.
const SECRET_FILES: [&str; 26] = [
    ".ssh",
    "id_rsa",
    "id_ed25519",
    "id_ecdsa",
    "authorized_keys",
    ".env",
    ".aws/credentials",
    ".aws/config",
    "mcp.json",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".kube/config",
    ".docker/config.json",
    "/etc/passwd",
    "/etc/shadow",
    "credentials.json",
    "wallet.dat",
    ".gnupg",
    ".bash_history",
    ".zsh_history",
    "login.keychain",
    "cookies.sqlite",
    "claude_desktop_config.json",
    ".vault-token",
];

fn is_secret_file(word: &str) -> bool {
    let small = word.to_lowercase().replace('\\', "/");
    SECRET_FILES.iter().any(|name| stands_in_path(&small, name))
}

/// Whether a path has these segments: `.env` is in `app/.env`, and not in `process.env.HOME`.
fn stands_in_path(path: &str, name: &str) -> bool {
    path.match_indices(name).any(|(at, _)| {
        let before = path.get(..at).and_then(|before| before.chars().next_back());
        let after = path.get(at + name.len()..).and_then(|after| after.chars().next());
        before.is_none_or(|c| !c.is_alphanumeric()) && after.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}

/// What a name in a text is made of, without its dots and strokes.
pub(super) fn plain_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !part(c)).filter(|word| !word.is_empty())
}

fn part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// Whether a name stands in a text as a word of its own.
pub(super) fn stands_alone(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}
