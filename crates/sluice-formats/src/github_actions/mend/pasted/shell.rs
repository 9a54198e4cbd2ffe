//! How a POSIX shell would quote what is pasted at a place of its script, where that is plain.
//!
//! Only scripts are read whose every command is plain: no here-documents, no backticks, nothing that hands text to another
//! interpreter. In any other one a variable might only hide what is evaluated.

use crate::github_actions::template::Piece;

/// Where an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoted {
    Bare,
    Double,
    Single,
}

/// Commands that take what they are given as data.
const PLAIN: [&str; 23] = [
    "echo", "printf", "test", "[", "[[", "export", "local", "readonly", "cd", "mkdir", "rm", "cp", "mv", "cat", "ls",
    "touch", "git", "gh", "curl", "wget", "exit", "tee", "true",
];
/// Commands that evaluate text, by their names' starts.
const INTERPRETERS: [&str; 34] = [
    "eval",
    "source",
    ".",
    "bash",
    "sh",
    "zsh",
    "dash",
    "ksh",
    "fish",
    "pwsh",
    "powershell",
    "xargs",
    "parallel",
    "python",
    "node",
    "deno",
    "bun",
    "perl",
    "ruby",
    "php",
    "awk",
    "gawk",
    "lua",
    "ssh",
    "psql",
    "mysql",
    "sqlite",
    "find",
    "env",
    "sudo",
    "su",
    "exec",
    "command",
    "trap",
];

/// For each expression how it is quoted, or `None` where it has no plain place; `None` for a script that is not read.
pub(super) fn quoted(pieces: &[Piece<'_>]) -> Option<Vec<Option<Quoted>>> {
    let mut reader = Reader { state: Quoted::Bare, command: Vec::new(), word: String::new(), is_comment: false };
    let mut found = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Literal(text) => reader.text(text)?,
            Piece::Expression(..) => {
                found.push(reader.place());
                // Stands for anything.
                reader.word.push('\u{0}');
            }
        }
    }
    reader.end()?;
    (reader.state == Quoted::Bare).then_some(found)
}

struct Reader {
    state: Quoted,
    /// The words of the command so far.
    command: Vec<String>,
    word: String,
    is_comment: bool,
}

impl Reader {
    fn text(&mut self, text: &str) -> Option<()> {
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let next = chars.peek().copied();
            match (self.state, c) {
                (_, '\n') if self.is_comment => {
                    self.is_comment = false;
                    self.end()?;
                }
                _ if self.is_comment => {}
                (Quoted::Single, '\'') | (Quoted::Double, '"') => self.state = Quoted::Bare,
                (Quoted::Single, c) => self.word.push(c),
                (_, '`') => return None,
                (_, '\\') => {
                    // An expression right behind it would lose its first character to it.
                    let escaped = chars.next()?;
                    if escaped != '\n' {
                        self.word.push(escaped);
                    }
                }
                // `$${{` is no variable behind a `$`.
                (_, '$') if next.is_none() => return None,
                (_, '$')
                    if matches!(next, Some('(' | '\'' | '"'))
                        && !(self.state == Quoted::Double && next == Some('"')) =>
                {
                    return None;
                }
                (_, '$') if next == Some('{') => {
                    self.word.push('$');
                    let name: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                    if name.contains(['"', '\'', '$', '\\', '`']) {
                        return None;
                    }
                }
                (Quoted::Double, c) => self.word.push(c),
                (Quoted::Bare, '\'') => self.state = Quoted::Single,
                (Quoted::Bare, '"') => self.state = Quoted::Double,
                (Quoted::Bare, '#') if self.word.is_empty() => self.is_comment = true,
                (Quoted::Bare, '<') if next == Some('<') || next == Some('(') => return None,
                (Quoted::Bare, '(' | ')') => return None,
                (Quoted::Bare, '>' | '<') => self.finish_word(),
                // `>&2` and `&>` go with files.
                (Quoted::Bare, '&') if next == Some('>') || matches!(next, Some('0'..='9' | '-')) => {}
                (Quoted::Bare, '\n' | ';' | '|' | '&') => self.end()?,
                (Quoted::Bare, c) if c.is_whitespace() => self.finish_word(),
                (Quoted::Bare, c) => self.word.push(c),
            }
        }
        Some(())
    }

    fn finish_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        let introduces = ["if", "then", "else", "elif", "do", "while", "until", "!", "{", "}", "fi", "done"];
        let is_first = self.command.is_empty();
        if word.is_empty() || is_first && (introduces.contains(&word.as_str()) || assigned(&word).is_some()) {
            return;
        }
        self.command.push(word);
    }

    /// A command ends. What evaluates text is none of a plain script.
    fn end(&mut self) -> Option<()> {
        self.finish_word();
        let command = std::mem::take(&mut self.command);
        let name = command.first().map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()).unwrap_or_default();
        let evaluates = INTERPRETERS.iter().any(|word| {
            let rest = name.strip_prefix(word);
            rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
        });
        (!evaluates && !matches!(name.as_str(), "case" | "select" | "function" | "for")).then_some(())
    }

    /// How what stands here is quoted, where it is an argument of a plain command or the value of a variable.
    fn place(&self) -> Option<Quoted> {
        if self.is_comment {
            return None;
        }
        let Some(command) = self.command.first() else {
            return assigned(&self.word).map(|_| self.state);
        };
        let is_query =
            command == "gh" && self.command.iter().any(|word| word == "api" || word == "--jq" || word == "-q");
        let is_form = command == "printf" && self.command.len() == 1;
        let is_plain = PLAIN.contains(&command.as_str()) && !is_query && !is_form;
        // Words and patterns of what is pasted would come apart, which some commands are meant to see.
        let may_be_one = self.state != Quoted::Bare
            || matches!(command.as_str(), "echo" | "[" | "[[" | "test")
            || matches!(command.as_str(), "export" | "local" | "readonly") && assigned(&self.word).is_some();
        (is_plain && may_be_one).then_some(self.state)
    }
}

/// The name in `NAME=`.
fn assigned(word: &str) -> Option<&str> {
    let (name, _) = word.split_once('=')?;
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).then_some(name)
}

#[cfg(test)]
mod tests {
    use sluice_core::text::Span;

    use super::*;

    /// `@` stands for an expression.
    fn read(script: &str) -> String {
        let mut pieces = Vec::new();
        for (n, literal) in script.split('@').enumerate() {
            if n > 0 {
                pieces.push(Piece::Expression("x", Span::default()));
            }
            pieces.push(Piece::Literal(literal));
        }
        match quoted(&pieces) {
            None => "unread".to_owned(),
            Some(found) => {
                found.iter().map(|one| one.map_or("no".to_owned(), |q| format!("{q:?}"))).collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn an_argument_of_a_plain_command_is_quoted_as_it_stands() {
        let cases = [
            ("echo @", "Bare"),
            ("echo \"a @ b\" '@' @", "Double Single Bare"),
            ("X=@\nY=\"@\" echo a", "Bare Double"),
            ("export X=@", "Bare"),
            ("if [ \"@\" = a ]; then echo b; fi", "Double"),
            ("echo \"it's @\" # don't", "Double"),
            ("echo \"@\" >> \"$GITHUB_OUTPUT\" 2>&1", "Double"),
            ("echo \"\\\"@\\\"\"", "Double"),
            ("git commit -m \"@\"", "Double"),
            ("echo '@' | tee x && curl -d \"@\" https://x", "Single Double"),
            ("echo ${X} \"@\"", "Double"),
        ];
        for (script, expected) in cases {
            assert_eq!(read(script), expected, "{script}");
        }
    }

    #[test]
    fn a_place_that_is_not_plain_has_no_fix() {
        let cases = [
            ("@", "no"),
            ("@ a", "no"),
            ("a@ b", "no"),
            ("# @\necho", "no"),
            ("make @", "no"),
            ("make \"@\"", "no"),
            ("git push @", "no"),
            ("printf \"@\" a", "no"),
            ("gh api graphql -f query=\"@\"", "no"),
            ("export @", "no"),
            ("npm run '@'", "no"),
            ("jq \"@\" x", "no"),
        ];
        for (script, expected) in cases {
            assert_eq!(read(script), expected, "{script}");
        }
        for script in [
            "echo $(echo @)",
            "echo \"$(echo @)\"",
            "echo `@`",
            "cat <<E\n@\nE",
            "echo @ | bash",
            "echo \"@\" | xargs rm",
            "bash -c \"@\"",
            "echo \"@\" > x.sh\nsh x.sh",
            "eval \"@\"",
            "python3.12 -c \"@\"",
            "/usr/bin/env bash -c '@'",
            "sudo echo @",
            "echo $'@'",
            "(echo @)",
            "case @ in a) ;; esac",
            "for x in @; do echo; done",
            "echo \"@",
            "echo '@",
            "echo \\@",
            "echo $@",
            "echo \"$@\"",
            "echo ${X:-\"@\"}",
        ] {
            assert_eq!(read(script), "unread", "{script}");
        }
    }
}
