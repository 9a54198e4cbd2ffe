//! The words of SQL, as far as the makers of databases agree on them.

use super::SchemaError;

/// A word, a name in quotes, or a mark. Texts and comments are left out: nothing is drafted from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    Quoted(&'a str),
    Text,
    Mark(char),
}

impl<'a> Token<'a> {
    /// Whether it is this word of the language.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own.eq_ignore_ascii_case(word))
    }

    pub(super) const fn word(&self) -> Option<&'a str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }

    /// What it can name.
    pub(super) const fn name(&self) -> Option<&'a str> {
        match self {
            Self::Word(name) | Self::Quoted(name) => Some(name),
            _ => None,
        }
    }
}

/// # Errors
/// [`SchemaError::Unclosed`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, SchemaError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        rest = match first {
            _ if first.is_whitespace() => after,
            '#' => line(after),
            '-' if after.starts_with('-') => line(after),
            '/' if after.starts_with('*') => until(after, "*/")?.1,
            '\'' => {
                tokens.push(Token::Text);
                until(after, "'")?.1
            }
            '"' | '`' | '[' => {
                let close = match first {
                    '"' => "\"",
                    '`' => "`",
                    _ => "]",
                };
                let (name, after) = until(after, close)?;
                tokens.push(Token::Quoted(name));
                after
            }
            '$' => match dollars(rest) {
                Some(tag) => {
                    tokens.push(Token::Text);
                    until(rest.get(tag.len()..).unwrap_or_default(), tag)?.1
                }
                None => after,
            },
            _ if first.is_alphabetic() || first == '_' => {
                let is_inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
                let end = rest.find(|c| !is_inside(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                tokens.push(Token::Word(word));
                after
            }
            _ => {
                tokens.push(Token::Mark(first));
                after
            }
        };
    }
    Ok(tokens)
}

fn line(rest: &str) -> &str {
    rest.split_once('\n').map_or("", |(_, after)| after)
}

fn until<'a>(rest: &'a str, close: &str) -> Result<(&'a str, &'a str), SchemaError> {
    rest.split_once(close).ok_or(SchemaError::Unclosed)
}

/// `$$` or `$tag$`, between which PostgreSQL writes texts.
fn dollars(rest: &str) -> Option<&str> {
    let inner = rest.get(1..)?;
    let end = inner.find('$')?;
    let is_tag = inner.get(..end)?.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_tag { rest.get(..end + 2) } else { None }
}
