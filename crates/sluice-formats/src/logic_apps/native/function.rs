//! Functions of the workflow definition language, where jq has the same.

/// What tells small from capital letters.
const LETTERS: &str = "`toLower`, `toUpper`, `startsWith` and `endsWith` know capital letters of ASCII alone here";

const ORDER: &str = "`greater`, `less` and their like order values of two kinds, too; the original fails there";

/// The jq of a call, and what a person should know of it.
///
/// # Errors
/// What has no equivalent.
pub(super) fn called(name: &str, arguments: &[String]) -> Result<(String, Option<&'static str>), String> {
    let lower = name.to_lowercase();
    let note = match lower.as_str() {
        "tolower" | "toupper" | "startswith" | "endswith" => Some(LETTERS),
        "greater" | "greaterorequals" | "less" | "lessorequals" => Some(ORDER),
        _ => None,
    };
    let found = of_any(&lower, arguments).or_else(|| match arguments {
        [a] => of_one(&lower, a),
        [a, b] => of_two(&lower, a, b),
        [a, b, c] => of_three(&lower, a, b, c),
        _ => None,
    });
    match found {
        Some(jq) => Ok((jq, note)),
        None if is_of_the_engine(&lower) => Err(format!("`{name}`, a time or another fact of the engine,")),
        None => Err(format!("a call of `{name}` like this one")),
    }
}

fn of_any(name: &str, arguments: &[String]) -> Option<String> {
    let listed = || arguments.join(", ");
    Some(match (name, arguments) {
        (_, []) => return None,
        ("concat", _) => format!("([{}] | join(\"\"))", listed()),
        ("coalesce", _) => format!("([{}] | map(select(. != null)) | first)", listed()),
        ("createarray", _) => format!("[{}]", listed()),
        ("and", _) => format!("({})", arguments.join(" and ")),
        ("or", _) => format!("({})", arguments.join(" or ")),
        ("min", [_, _, ..]) => format!("([{}] | min)", listed()),
        ("max", [_, _, ..]) => format!("([{}] | max)", listed()),
        _ => return None,
    })
}

fn of_one(name: &str, a: &str) -> Option<String> {
    Some(match name {
        "not" => format!("({a} | not)"),
        "empty" => format!("({a} | . == null or . == \"\" or . == [] or . == {{}})"),
        "length" => format!("({a} | length)"),
        "string" => format!("({a} | tostring)"),
        "int" | "float" | "decimal" => format!("({a} | tonumber)"),
        "bool" => format!("({a} | toboolean)"),
        "json" => format!("({a} | if type == \"string\" then fromjson else . end)"),
        "tolower" => format!("({a} | ascii_downcase)"),
        "toupper" => format!("({a} | ascii_upcase)"),
        "trim" => format!("({a} | trim)"),
        "first" => format!("({a} | if type == \"string\" then .[0:1] else .[0] end)"),
        "last" => format!("({a} | if type == \"string\" then .[-1:] else .[-1] end)"),
        "reverse" => format!("({a} | reverse)"),
        "array" => format!("[{a}]"),
        "encodeuricomponent" | "uricomponent" => format!("({a} | @uri)"),
        "base64" => format!("({a} | @base64)"),
        "base64tostring" | "decodebase64" => format!("({a} | @base64d)"),
        _ => return None,
    })
}

fn of_two(name: &str, a: &str, b: &str) -> Option<String> {
    let whole = || b.parse::<u32>().is_ok();
    Some(match name {
        "equals" => format!("({a} == {b})"),
        "greater" => format!("({a} > {b})"),
        "greaterorequals" => format!("({a} >= {b})"),
        "less" => format!("({a} < {b})"),
        "lessorequals" => format!("({a} <= {b})"),
        "contains" => format!(
            "({b} as $part | {a} | if type == \"array\" then any(.[]; . == $part) elif type == \"object\" then has($part) else contains($part) end)"
        ),
        // Capital letters count for neither.
        "startswith" => format!("({a} | ascii_downcase | startswith({b} | ascii_downcase))"),
        "endswith" => format!("({a} | ascii_downcase | endswith({b} | ascii_downcase))"),
        "split" if is_text(b) => format!("({a} | split({b}))"),
        "join" if is_text(b) => format!("({a} | join({b}))"),
        "take" if whole() => format!("({a} | .[0:{b}])"),
        "skip" if whole() => format!("({a} | .[{b}:])"),
        "add" => format!("({a} + {b})"),
        "sub" => format!("({a} - {b})"),
        "mul" => format!("({a} * {b})"),
        // Nothing is written twice: calls lie in each other.
        "range" => format!("({a} as $start | [range($start; $start + {b})])"),
        _ => return None,
    })
}

fn of_three(name: &str, a: &str, b: &str, c: &str) -> Option<String> {
    Some(match name {
        "if" => format!("(if {a} then {b} else {c} end)"),
        "replace" if is_text(b) => format!("({a} | split({b}) | join({c}))"),
        "setproperty" | "addproperty" if is_text(b) => format!("({a} + {{{b}: {c}}})"),
        "substring" => match (b.parse::<u32>(), c.parse::<u32>()) {
            (Ok(start), Ok(length)) => format!("({a} | .[{start}:{}])", u64::from(start) + u64::from(length)),
            _ => return None,
        },
        _ => return None,
    })
}

/// A text that is the same in every run, and not empty.
fn is_text(jq: &str) -> bool {
    serde_json::from_str::<String>(jq).is_ok_and(|text| !text.is_empty())
}

fn is_of_the_engine(name: &str) -> bool {
    const BEGINS: [&str; 8] =
        ["utc", "startof", "convert", "formatdate", "dayof", "subtractfrom", "parsedate", "addto"];
    const NAMES: [&str; 13] = [
        "guid",
        "rand",
        "ticks",
        "workflow",
        "listcallbackurl",
        "appsetting",
        "getpasttime",
        "getfuturetime",
        "datedifference",
        "adddays",
        "addhours",
        "addminutes",
        "addseconds",
    ];
    NAMES.contains(&name) || BEGINS.iter().any(|begin| name.starts_with(begin))
}
