//! Which fields texts read of a root, by their paths: what kind of data a node puts out may show only there.

use std::collections::BTreeSet;

use sluice_core::catalogue::{Pattern, Segment};

/// Forms of access that stand before the fields of an item.
const ACCESS: [&str; 5] = ["json", "item", "first", "last", "all"];

/// Keys that say nothing of what is behind them.
const BETWEEN: [&str; 7] = ["body", "query", "params", "data", "output", "fields", "headers"];

/// What a webhook wraps what is sent to it in.
const WRAPPERS: [&str; 4] = ["body", "query", "params", "headers"];

/// A field as a text reads it: `body`, `customer`, `email`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Field {
    above: Vec<String>,
    name: String,
}

impl Field {
    /// A field of the item itself.
    pub(super) fn named(name: String) -> Self {
        Self { above: Vec::new(), name }
    }

    /// Its own name, without what it stands in.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether both stand in the same.
    pub(super) fn stands_beside(&self, other: &Self) -> bool {
        self.above == other.above
    }

    /// The name of the item's own field that it is or stands in.
    pub(super) fn outermost(&self) -> &str {
        self.above.first().unwrap_or(&self.name)
    }

    /// Where it stands in an item: as it is read, or in what a webhook wraps it in.
    pub(super) fn patterns(&self) -> Vec<Pattern> {
        let wrappers = WRAPPERS.into_iter().map(Some).filter(|_| !WRAPPERS.contains(&self.outermost()));
        let keys = || self.above.iter().chain([&self.name]).map(|key| segment(key));
        let within = |wrapper: Option<&str>| Pattern(wrapper.map(segment).into_iter().chain(keys()).collect());
        [None].into_iter().chain(wrappers).map(within).collect()
    }
}

fn segment(key: &str) -> Segment {
    if is_index(key) { Segment::Any } else { Segment::Key(key.into()) }
}

fn is_index(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_digit())
}

/// The fields that a text reads behind each mention of `root`, also by a variable that a program gives it to.
pub(super) fn fields_behind(text: &str, root: &str) -> Vec<Field> {
    let mut found = Vec::new();
    let mut variables = BTreeSet::new();
    for (before, behind) in mentions(text, root) {
        let behind = behind.trim_start_matches(['\'', '"', ')', ']']);
        let (keys, after) = chain(behind);
        found.extend(fields(&keys));
        if let Some(name) = variable(before).filter(|_| ends_statement(after)) {
            variables.insert((name, keys));
        }
    }
    for (name, above) in variables {
        for behind in uses(text, name) {
            let (keys, _) = chain(behind);
            let keys: Vec<String> = above.iter().cloned().chain(keys).collect();
            found.extend(fields(&keys));
        }
    }
    found
}

/// What stands before and behind each mention of a root; `$jsonOther` is another one.
fn mentions<'t>(text: &'t str, root: &str) -> impl Iterator<Item = (&'t str, &'t str)> {
    text.match_indices(root).filter_map(|(at, found)| {
        let (before, behind) = (text.get(..at)?, text.get(at + found.len()..)?);
        let is_longer = found.starts_with('$') && behind.starts_with(is_word);
        (!is_longer).then_some((before, behind))
    })
}

/// What stands behind each mention of a variable; `body.data` and `database` are others than `data`.
fn uses<'t>(text: &'t str, variable: &str) -> impl Iterator<Item = &'t str> {
    mentions(text, variable).filter_map(|(before, behind)| {
        let is_part = before.ends_with(|c: char| is_word(c) || matches!(c, '.' | '$' | '"' | '\''));
        (!is_part && !behind.starts_with(is_word)).then_some(behind)
    })
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The name in `const name =`, at the end of a text.
fn variable(before: &str) -> Option<&str> {
    let before = before.trim_end().strip_suffix('=')?.trim_end();
    let start = before.rfind(|c: char| !is_word(c)).map_or(0, |at| at + 1);
    let (declared, name) = before.split_at(start);
    let is_declared = ["const", "let", "var"].iter().any(|word| declared.trim_end().ends_with(word));
    (is_declared && !name.is_empty()).then_some(name)
}

/// Whether nothing more is made of a value, but for what stands in where it is missing.
fn ends_statement(after: &str) -> bool {
    let after = after.trim_start_matches([' ', '\t']);
    after.is_empty() || after.starts_with([';', '\n', '\r', '|', '?'])
}

/// Each key of a chain that says something, with those before it.
fn fields(keys: &[String]) -> impl Iterator<Item = Field> {
    keys.iter().enumerate().filter_map(|(at, name)| {
        let says_nothing = BETWEEN.contains(&name.as_str()) || is_index(name);
        (!says_nothing).then(|| Field { above: keys.get(..at).unwrap_or_default().to_vec(), name: name.clone() })
    })
}

/// `.a.b["c d"]` as keys, without the forms of access before them, and what stands behind.
fn chain(text: &str) -> (Vec<String>, &str) {
    const LONGEST: usize = 8;
    let mut keys: Vec<String> = Vec::new();
    let mut rest = text;
    for _ in 0..LONGEST {
        rest = rest.trim_start_matches("()").trim_start_matches('?');
        let Some((key, behind)) = key(rest) else { break };
        rest = behind;
        if !(keys.is_empty() && (ACCESS.contains(&key) || is_index(key))) {
            keys.push(key.to_owned());
        }
    }
    (keys, rest)
}

fn key(text: &str) -> Option<(&str, &str)> {
    let (key, behind) = if let Some(after) = text.strip_prefix('.') {
        let end = after.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$'))).unwrap_or(after.len());
        after.split_at(end)
    } else {
        let (inside, behind) = text.strip_prefix('[')?.split_once(']')?;
        (inside.trim_matches(['\'', '"', '`']), behind)
    };
    (!key.is_empty()).then_some((key, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, root: &str) -> Vec<String> {
        let shown = |field: &Field| field.above.iter().chain([&field.name]).cloned().collect::<Vec<_>>().join("/");
        fields_behind(text, root).iter().map(shown).collect()
    }

    #[test]
    fn a_field_is_known_with_what_it_stands_in() {
        assert_eq!(read("={{ $json.body.customer.email }}", "$json"), ["body/customer", "body/customer/email"]);
        assert_eq!(read("={{ $('Hook').first().json['full name'] }}", "Hook"), ["full name"]);
        assert_eq!(read("={{ $json.body.items[0].price }}", "$json"), ["body/items", "body/items/0/price"]);
        assert_eq!(read("={{ $jsonOther.email }}", "$json"), [""; 0]);
        assert_eq!(read("={{ $json }}", "$json"), [""; 0]);
    }

    #[test]
    fn a_variable_of_a_program_is_what_it_was_given() {
        let program =
            "const body = $json.body;\nconst mail = body.customer?.email;\nreturn { other: some.body.phone };";
        assert_eq!(read(program, "$json"), ["body/customer", "body/customer/email"]);
        assert_eq!(read("let data = $input.first().json || {};\nuse(data.phone, database.iban)", "$input"), ["phone"]);
        // What is made of a value has other fields.
        assert_eq!(read("const size = $json.body.length + 1;\nsize.email", "$json"), ["body/length"]);
    }

    #[test]
    fn a_field_may_stand_in_what_a_webhook_wraps_it_in() {
        let patterns = |field: Field| field.patterns();
        let of_item = patterns(Field::named("email".into()));
        assert_eq!(of_item.len(), 5);
        assert_eq!(of_item.get(1), Pattern::parse("/body/email").as_ref());
        let deep = fields_behind("$json.body.guests[0].email", "$json").pop().map(patterns);
        assert_eq!(deep, Pattern::parse("/body/guests/*/email").map(|pattern| vec![pattern]));
    }
}
