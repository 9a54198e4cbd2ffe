//! Regular expressions that say what the whole of a text can be.
//!
//! Read is the part of JavaScript's language that people write allow-lists with: literals, classes, groups, quantifiers,
//! between `^` and `$`. A pattern with anything else (look-around, back references, an anchor inside) admits anything.

use super::Admits;

/// Longer patterns, and such that nest deeper, are not read.
const PATTERN_BYTES_MAX: usize = 1_000;
const NESTING_MAX: usize = 20;

/// What the text of a list of several, or of an object, has in it: `a,b` and `[object Object]`, as JSON `["a"]` and `{"a":1}`.
/// Of the values in it such a text tells nothing: neither has to begin or to end as the whole does.
const OF_SEVERAL: [char; 3] = [',', '[', '{'];

/// A text that begins and ends as the pattern's author wrote, with characters of a set between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// How it begins.
    pub prefix: String,
    /// What can stand between.
    pub between: Characters,
    /// How it ends.
    pub suffix: String,
}

/// A set of characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Characters {
    ascii: u128,
    /// Whether any of the others may be there.
    others: bool,
}

impl Characters {
    const NONE: Self = Self { ascii: 0, others: false };
    const ALL: Self = Self { ascii: u128::MAX, others: true };

    fn of(c: char) -> Self {
        match u32::from(c) {
            n @ 0..128 => Self { ascii: 1 << n, others: false },
            _ => Self { ascii: 0, others: true },
        }
    }

    fn range(from: char, to: char) -> Self {
        let ascii = (0_u8..128).map(char::from).filter(|c| (from..=to).contains(c)).map(|c| Self::of(c).ascii);
        Self { ascii: ascii.fold(0, |all, bit| all | bit), others: !to.is_ascii() }
    }

    const fn or(self, other: Self) -> Self {
        Self { ascii: self.ascii | other.ascii, others: self.others || other.others }
    }

    /// Every other character. Of those beyond ASCII a set says nothing, so some of them are always left.
    const fn except(self) -> Self {
        Self { ascii: !self.ascii, others: true }
    }

    /// Whether each of them is ASCII and one that `allowed` holds of.
    #[must_use]
    pub fn all(self, allowed: impl Fn(char) -> bool) -> bool {
        let listed = |c: &u8| self.ascii & (1 << *c) != 0;
        !self.others && (0_u8..128).filter(listed).all(|c| allowed(char::from(c)))
    }

    /// Letters in both cases, if there is any.
    fn in_any_case(self) -> Self {
        let letters =
            ('a'..='z').filter(|c| self.ascii & (Self::of(*c).or(Self::of(c.to_ascii_uppercase()))).ascii != 0);
        letters.fold(self, |all, c| all.or(Self::of(c)).or(Self::of(c.to_ascii_uppercase())))
    }
}

/// What the texts are that a pattern matches; `None` if that can be anything, or is not known.
pub(crate) fn read(pattern: &str, flags: &str) -> Option<Admits> {
    if pattern.len() > PATTERN_BYTES_MAX || !flags.chars().all(|f| matches!(f, 'i' | 'g')) {
        return None;
    }
    let inner = pattern.strip_prefix('^')?;
    let mut reader = Reader { rest: inner, depth: 0 };
    let parts = reader.sequence()?;
    if reader.rest != "$" {
        return None;
    }
    let any_case = flags.contains('i');
    if parts.iter().all(Part::is_constant) {
        return Some(if any_case { Admits::ListedInAnyCase } else { Admits::Listed });
    }
    let is_one = |part: &&Part| matches!(part, Part::Character(_));
    let prefix: String = parts.iter().take_while(is_one).filter_map(Part::character).collect();
    let suffix: Vec<char> = parts.iter().rev().take_while(is_one).filter_map(Part::character).collect();
    let middle = parts.get(prefix.chars().count()..parts.len() - suffix.len()).unwrap_or_default();
    let between = middle.iter().fold(Characters::NONE, |all, part| all.or(part.characters()));
    let between = if any_case { between.in_any_case() } else { between };
    Some(Admits::Text(Text { prefix, between, suffix: suffix.into_iter().rev().collect() }))
}

impl Admits {
    /// Itself, unless a list of several or an object has such a text: it was read from `pattern`.
    pub(crate) fn if_of_one(self, pattern: &str) -> Option<Self> {
        let is_one = match &self {
            Self::Text(Text { prefix, between, suffix }) => {
                is_of_one(prefix) && is_of_one(suffix) && between.all(|c| !OF_SEVERAL.contains(&c))
            }
            _ => is_of_one(pattern),
        };
        is_one.then_some(self)
    }
}

/// Whether no list of several and no object has this text. One that is listed alone has its own: `['a']` is written as `a`
/// wherever a text is needed, so that of it is known what was asked.
pub(crate) fn is_of_one(text: &str) -> bool {
    !text.contains(OF_SEVERAL)
}

enum Part {
    /// Exactly this one, once.
    Character(char),
    /// A group of alternatives, each constant: one of the author's own texts.
    Constants(Characters),
    /// Any number of these.
    Some(Characters),
}

impl Part {
    fn is_constant(&self) -> bool {
        matches!(self, Self::Character(_) | Self::Constants(_))
    }

    fn character(&self) -> Option<char> {
        if let Self::Character(c) = self { Some(*c) } else { None }
    }

    fn characters(&self) -> Characters {
        match self {
            Self::Character(c) => Characters::of(*c),
            Self::Constants(characters) | Self::Some(characters) => *characters,
        }
    }
}

struct Reader<'p> {
    rest: &'p str,
    depth: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..)?;
        Some(c)
    }

    fn eat(&mut self, what: &str) -> bool {
        self.rest.strip_prefix(what).map(|rest| self.rest = rest).is_some()
    }

    /// Up to `|`, `)`, `$` or the end.
    fn sequence(&mut self) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        while !self.rest.is_empty() && !self.rest.starts_with(['|', ')', '$']) {
            let part = self.atom()?;
            parts.push(if self.quantifier()? { Part::Some(part.characters()) } else { part });
        }
        Some(parts)
    }

    fn atom(&mut self) -> Option<Part> {
        match self.next()? {
            '(' => self.group(),
            '[' => self.class().map(Part::Some),
            '.' => Some(Part::Some(Characters::ALL)),
            '\\' => {
                let (characters, only) = self.escape()?;
                Some(only.map_or(Part::Some(characters), Part::Character))
            }
            '^' | '$' | '*' | '+' | '?' | '{' | '}' | ']' => None,
            c => Some(Part::Character(c)),
        }
    }

    fn group(&mut self) -> Option<Part> {
        self.depth += 1;
        // `(?:` only groups; what else begins with `(?` looks around, or is newer than this.
        if self.depth > NESTING_MAX || !self.eat("?:") && self.rest.starts_with('?') {
            return None;
        }
        let (mut characters, mut is_constant) = (Characters::NONE, true);
        loop {
            for part in self.sequence()? {
                is_constant &= part.is_constant();
                characters = characters.or(part.characters());
            }
            match self.next()? {
                '|' => {}
                ')' => break,
                _ => return None,
            }
        }
        self.depth -= 1;
        Some(if is_constant { Part::Constants(characters) } else { Part::Some(characters) })
    }

    /// Whether one is there that lets the part stand there more or less often than once.
    fn quantifier(&mut self) -> Option<bool> {
        let found = match self.rest.chars().next() {
            Some('*' | '+' | '?') => self.next().is_some(),
            Some('{') => {
                let (count, rest) = self.rest.get(1..)?.split_once('}')?;
                let is_count = count.starts_with(|c: char| c.is_ascii_digit())
                    && count.chars().all(|c| c.is_ascii_digit() || c == ',')
                    && count.matches(',').count() < 2;
                self.rest = is_count.then_some(rest)?;
                true
            }
            _ => return Some(false),
        };
        self.eat("?");
        Some(found)
    }

    /// The characters of an escape, and the one, if it stands for exactly one.
    fn escape(&mut self) -> Option<(Characters, Option<char>)> {
        let digits = Characters::range('0', '9');
        let word = digits.or(Characters::range('a', 'z')).or(Characters::range('A', 'Z')).or(Characters::of('_'));
        let space = ['\t', '\n', '\u{b}', '\u{c}', '\r', ' '].into_iter().map(Characters::of);
        let space = Characters { others: true, ..space.fold(Characters::NONE, Characters::or) };
        Some(match self.next()? {
            'd' => (digits, None),
            'w' => (word, None),
            's' => (space, None),
            'D' => (digits.except(), None),
            'W' => (word.except(), None),
            'S' => (space.except(), None),
            // Letters and digits behind a backslash have meanings: boundaries, back references, code points.
            c if c.is_ascii_alphanumeric() => return None,
            c => (Characters::of(c), Some(c)),
        })
    }

    fn class(&mut self) -> Option<Characters> {
        let negated = self.eat("^");
        let mut all = Characters::NONE;
        loop {
            let (characters, from) = match self.next()? {
                ']' => break,
                '\\' => self.escape()?,
                c => (Characters::of(c), Some(c)),
            };
            if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.next()?;
                let to = match self.next()? {
                    '\\' => self.escape()?.1?,
                    c => c,
                };
                all = all.or(Characters::range(from?, to));
            } else {
                all = all.or(characters);
            }
        }
        Some(if negated { all.except() } else { all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pattern: &str) -> String {
        match read(pattern, "") {
            None => "anything".to_owned(),
            Some(Admits::Text(Text { prefix, between, suffix })) => {
                let listed = |c: char| between.ascii & Characters::of(c).ascii != 0;
                let set: String = (' '..='~').filter(|c| listed(*c)).collect();
                let set = if set.len() > 70 { "most".to_owned() } else { set };
                format!("{prefix}<{set}>{suffix}{}", if between.others { " and beyond" } else { "" })
            }
            Some(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn a_pattern_says_what_the_whole_text_can_be() {
        for (pattern, expected) in [
            ("^abc$", "Listed"),
            ("^(red|green)$", "Listed"),
            ("^(?:red|dark (?:blue|green))$", "Listed"),
            ("^[a-c]+$", "<abc>"),
            ("^\\d{1,3}$", "<0123456789>"),
            ("^ab?c$", "a<b>c"),
            ("^(ab|c)+$", "<abc>"),
            ("^[a-c.-]+@example\\.com$", "<-.abc>@example.com"),
            ("^https://example\\.com/[\\da]*?$", "https://example.com/<0123456789a>"),
            ("^[\\x41]$", "anything"),
            ("^[^/]+$", "<most> and beyond"),
            ("^\\S+@example\\.com$", "<most>@example.com and beyond"),
            ("^.*$", "<most> and beyond"),
            ("^[a-é]+$", "<abcdefghijklmnopqrstuvwxyz{|}~> and beyond"),
            ("^a|b$", "anything"),
            ("^a$|^b$", "anything"),
            ("(^a|b$)", "anything"),
            ("^a", "anything"),
            ("a$", "anything"),
            ("a", "anything"),
            ("^a\\$", "anything"),
            ("^(?=a)b$", "anything"),
            ("^(a)\\1$", "anything"),
            ("^a\\b$", "anything"),
            ("^(a$", "anything"),
            ("^(a|b$)$", "anything"),
            ("^[a$", "anything"),
            ("^a{x}$", "anything"),
            ("", "anything"),
        ] {
            assert_eq!(shown(pattern), expected, "{pattern}");
        }
        assert_eq!(read("^a$", "m"), None);
        assert_eq!(read("^a$", "i"), Some(Admits::ListedInAnyCase));
    }

    #[test]
    fn what_a_list_of_several_or_an_object_can_be_written_as_tells_of_neither() {
        for (pattern, is_one) in [
            ("^[a-z]+$", true),
            ("^(red|green)$", true),
            ("^\\d{1,3}$", true),
            ("^[a-z,]+$", false),
            ("^[a-z]+,$", false),
            ("^,[a-z]+$", false),
            ("^[^/]+$", false),
            ("^[!-~]+$", false),
            ("^(a,b)$", false),
            ("^\\[object Object\\]$", false),
            ("^\\{[a-z\":]+\\}$", false),
        ] {
            assert_eq!(read(pattern, "").and_then(|admits| admits.if_of_one(pattern)).is_some(), is_one, "{pattern}");
        }
    }
}
