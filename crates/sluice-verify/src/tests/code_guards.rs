//! Programs of code nodes in front of an action: which of them hold a value back, and which only look as if they did.

use serde_json::{Value as Json, json};

use super::foreign::standing;
use super::n8n::{Node, export};

const CHAIN: &[&str] = &["Hook -> Check", "Check -> Get"];
const EACH: &str = "runOnceForEachItem";
const ALL: &str = "runOnceForAllItems";
/// What the webhook was sent, kept and by name.
const KEPT: &str = "$json.body.x";
const NAMED: &str = "$('Hook').item.json.body.x";

fn hook() -> Node<'static> {
    ("Hook", "webhook", json!({ "path": "in" }))
}

fn code(mode: &str, program: &str) -> Node<'static> {
    ("Check", "code", json!({ "typeVersion": 2, "mode": mode, "jsCode": program }))
}

/// Calls `https://api.example.com/` with a word behind it.
fn get(word: &str) -> Node<'static> {
    ("Get", "httpRequest", json!({ "url": format!("=https://api.example.com/{{{{ {word} }}}}") }))
}

fn with(mut node: Node<'static>, key: &str, value: impl Into<Json>) -> Node<'static> {
    node.2[key] = value.into();
    node
}

/// What stands in the way from the webhook into the path of the URL.
fn behind(check: Node<'static>, word: &str) -> String {
    standing(&export(&[hook(), check, get(word)], CHAIN), "url_path")
}

#[test]
fn a_program_that_stops_what_is_not_listed_or_of_a_form_holds_it_back() {
    let each = |check: &str| code(EACH, &format!("{check}\nreturn $input.item;"));
    let plain: Vec<(&str, Node<'_>)> = vec![
        ("a pattern", each("if (!/^[a-z0-9-]+$/.test($json.body.x)) throw new Error('bad');")),
        ("a pattern in any case", each("if (!/^[a-z0-9-]+$/i.test($json.body.x)) { throw new Error('bad'); }")),
        ("a pattern of its text", each("if (!/^[a-z]+$/.test(String($json.body.x))) throw new Error('bad');")),
        (
            "a pattern with a name",
            each("const SLUG = /^[a-z]+$/; if (!SLUG.test($json.body.x)) throw new Error('bad');"),
        ),
        (
            "the value with a name",
            each("const x = $json.body.x; if (!/^[a-z]+$/.test(x)) throw new Error(`bad ${x}`);"),
        ),
        ("a part of the item taken apart", each("const { x, y } = $json.body; if (!/^[a-z]+$/.test(x)) return null;")),
        (
            "the item by its handle",
            each("const item = $input.item; if (!/^[a-z]+$/.test(item.json['body']?.x)) return;"),
        ),
        ("nothing is returned", each("if (!/^[a-z]+$/.test($json.body.x)) return [];")),
        ("it is logged first", each("if (!/^[a-z]+$/.test($json.body.x)) { console.log('bad', $json); return null; }")),
        ("a list", each("const OK = ['a', 'b']; if (!OK.includes($json.body.x)) throw new Error('bad');")),
        ("a list without a name", each("if (!['a', 'b'].includes($json.body.x)) throw new Error('bad');")),
        ("a set", each("const OK = new Set(['a', 'b']); if (!OK.has($json.body.x)) throw new Error('bad');")),
        (
            "a set of a list",
            each("const L = ['a']; const OK = new Set(L); if (!OK.has($json.body.x)) throw Error('bad');"),
        ),
        ("constants", each("if ($json.body.x !== 'a' && 'b' !== $json.body.x) throw new Error('bad');")),
        ("loose equality to a text of one", each("if ($json.body.x != 'a') throw new Error('bad');")),
        ("a constant with a name", each("const A = 'a'; if ($json.body.x !== A) throw new Error('bad');")),
        (
            "it is no text, or of no form",
            each(
                "const x = $json.body.x; if (typeof x !== 'string' || !/^[a-z]+$/.test(x)) throw new TypeError('bad');",
            ),
        ),
        (
            "it is missing, or of no form",
            each("if (!$json.body.x || !/^[a-z]+$/.test($json.body.x)) throw new Error('bad');"),
        ),
        (
            "another check in front",
            each("if (!$json.body.y) throw new Error('y'); if (!['a'].includes($json.body.x)) throw new Error('x');"),
        ),
        ("a directive", each("'use strict'; if (!['a'].includes($json.body.x)) throw new Error('x');")),
        ("items that pass", code(ALL, "return items.filter(item => /^[a-z]+$/.test(item.json.body.x));")),
        (
            "items that pass a list",
            code(ALL, "const OK = ['a']; return $input.all().filter((i) => OK.includes(i.json.body.x));"),
        ),
        (
            "items that pass two tests",
            code(
                ALL,
                "return items.filter(i => i.json.y).filter(({ json }) => { const x = json.body.x; return x === 'a'; });",
            ),
        ),
        (
            "each item, or none",
            code(
                ALL,
                "const all = $input.all(); for (const item of all) { if (!/^[a-z]+$/.test(item.json.body.x)) { throw new Error('bad'); } } return all;",
            ),
        ),
        (
            "one of old",
            with(
                (
                    "Check",
                    "function",
                    json!({ "functionCode": "return items.filter(i => ['a'].includes(i.json.body.x));" }),
                ),
                "typeVersion",
                1,
            ),
        ),
        (
            "one of old for each item",
            (
                "Check",
                "functionItem",
                json!({ "functionCode": "if (!['a'].includes(item.body.x)) throw new Error('bad'); return item;" }),
            ),
        ),
        (
            "items that fail leave by a port of their own",
            with(each("if (!['a'].includes($json.body.x)) throw new Error('bad');"), "onError", "continueErrorOutput"),
        ),
    ];
    for (what, check) in plain {
        for word in [KEPT, NAMED] {
            assert_eq!(behind(check.clone(), word), "held by Check", "{what}: {word}");
        }
    }
    let first = "const x = $input.first().json.body.x; if (!/^[a-z]+$/.test(x)) throw new Error('bad');";
    let stop = "const { x } = $json.body; if (!/^[a-z]+$/.test(x)) throw new Error('bad');";
    for (what, mode, program, word) in [
        ("under a new name", EACH, format!("{stop} return {{ json: {{ slug: x, n: 1 }} }};"), "$json.slug"),
        ("beside what was there", EACH, format!("{stop} return {{ json: {{ ...$json, n: Date.now() }} }};"), KEPT),
        (
            "by the name of the check",
            EACH,
            format!("{stop} return {{ json: {{ slug: x }} }};"),
            "$('Check').item.json.slug",
        ),
        ("the first of all items", ALL, format!("{first} return [{{ json: {{ slug: x }} }}];"), "$json.slug"),
        ("the only one of all items", ALL, format!("{first} return $input.all();"), NAMED),
        (
            "each that passes, made anew",
            ALL,
            "return items.filter(i => ['a'].includes(i.json.body.x)).map(i => ({ json: { slug: i.json.body.x } }));"
                .to_owned(),
            "$json.slug",
        ),
    ] {
        assert_eq!(behind(code(mode, &program), word), "held by Check", "{what}");
    }
}

#[test]
fn a_program_that_only_looks_like_a_check_holds_nothing_back() {
    let each = |check: &str| code(EACH, &format!("{check}\nreturn $input.item;"));
    let word = "if (!/^[a-z]+$/.test($json.body.x)) throw new Error('bad');";
    let cases: Vec<(&str, Node<'_>)> = vec![
        ("no check", each("")),
        ("a pattern without anchors", each("if (!/[a-z]+/.test($json.body.x)) throw new Error('bad');")),
        ("a pattern with one anchor", each("if (!/^[a-z]+/.test($json.body.x)) throw new Error('bad');")),
        ("anchors of one alternative each", each("if (!/^a|b$/.test($json.body.x)) throw new Error('bad');")),
        ("a pattern for each line", each("if (!/^[a-z]+$/m.test($json.body.x)) throw new Error('bad');")),
        (
            "a pattern that goes on where it stopped",
            each("const P = /^[a-z]+$/g; if (!P.test($json.body.x)) throw new Error('bad');"),
        ),
        (
            "a pattern that sticks where it stopped",
            each("const P = /^[a-z]+$/y; if (!P.test($json.body.x)) throw new Error('bad');"),
        ),
        ("a pattern for anything", each("if (!/^.+$/.test($json.body.x)) throw new Error('bad');")),
        ("a pattern of lists", each("if (!/^[a-z,]+$/.test($json.body.x)) throw new Error('bad');")),
        ("constants with a comma", each("if (!/^(a,b)$/.test($json.body.x)) throw new Error('bad');")),
        ("the text of an object", each("if (!/^\\[object Object\\]$/.test($json.body.x)) throw new Error('bad');")),
        (
            "a pattern that is made",
            each("const P = new RegExp('^[a-z]+$'); if (!P.test($json.body.x)) throw new Error('bad');"),
        ),
        (
            "a pattern that data writes",
            each("const P = new RegExp($json.body.p); if (!P.test($json.body.x)) throw new Error('bad');"),
        ),
        ("a match without anchors", each("if (!$json.body.x.match(/[a-z]+/)) throw new Error('bad');")),
        ("a text that includes it", each("if (!'abc'.includes($json.body.x)) throw new Error('bad');")),
        ("it includes a text", each("if (!$json.body.x.includes('a')) throw new Error('bad');")),
        ("it begins with a text", each("if (!$json.body.x.startsWith('a')) throw new Error('bad');")),
        ("where it is in a text", each("if ('abc'.indexOf($json.body.x) === -1) throw new Error('bad');")),
        ("a list of what is bad", each("if (['../admin'].includes($json.body.x)) throw new Error('bad');")),
        ("not the bad one", each("if ($json.body.x === '../admin') throw new Error('bad');")),
        ("one or the other, always", each("if ($json.body.x !== 'a' || $json.body.y !== 'b') console.log('bad');")),
        ("both are wrong at once", each("if ($json.body.x !== 'a' && $json.body.y !== 'b') throw new Error('bad');")),
        ("loose equality to what a list can be written as", each("if ($json.body.x != 'a,b') throw new Error('bad');")),
        (
            "loose equality to what an object is written as",
            each("const A = '[object Object]'; if ($json.body.x != A) throw new Error('bad');"),
        ),
        ("loose equality to a number", each("if ($json.body.x != 5) throw new Error('bad');")),
        ("equal to other data", each("if ($json.body.x !== $json.body.y) throw new Error('bad');")),
        ("another value", each("if (!/^[a-z]+$/.test($json.body.y)) throw new Error('bad');")),
        ("a value of that name elsewhere", each("if (!/^[a-z]+$/.test($json.x)) throw new Error('bad');")),
        ("a part of the value", each("if (!/^[a-z]+$/.test($json.body.x.slug)) throw new Error('bad');")),
        ("a file", each("if (!/^[a-z]+$/.test($binary.body.x)) throw new Error('bad');")),
        ("a changed copy", each("if (!/^[a-z]+$/.test($json.body.x.toLowerCase())) throw new Error('bad');")),
        ("a trimmed copy", each("const x = $json.body.x.trim(); if (!/^[a-z]+$/.test(x)) throw new Error('bad');")),
        ("a default", each("const { x = 'a' } = $json.body; if (!/^[a-z]+$/.test(x)) throw new Error('bad');")),
        (
            "one value or another",
            each("const x = $json.body.x || 'a'; if (!/^[a-z]+$/.test(x)) throw new Error('bad');"),
        ),
        ("turned round", each("if (/^[a-z]+$/.test($json.body.x)) throw new Error('bad');")),
        ("it is only logged", each("if (!/^[a-z]+$/.test($json.body.x)) console.log('bad');")),
        ("nothing comes of it", each("/^[a-z]+$/.test($json.body.x);")),
        ("an error that is made and not thrown", each("if (!/^[a-z]+$/.test($json.body.x)) new Error('bad');")),
        ("the item is returned", each("if (!/^[a-z]+$/.test($json.body.x)) return $input.item;")),
        (
            "an item with the error is returned",
            each("if (!/^[a-z]+$/.test($json.body.x)) return { json: { error: 1 , ...$json } };"),
        ),
        ("a `try` whose `catch` goes on", each(&format!("try {{ {word} }} catch (e) {{ console.log(e); }}"))),
        ("a `try` whose `finally` returns", each(&format!("try {{ {word} }} finally {{ return $input.item; }}"))),
        ("in a branch", each(&format!("if ($json.body.y) {{ {word} }}"))),
        (
            "in the other branch",
            each("if ($json.body.y) console.log(1); else if (!['a'].includes($json.body.x)) throw new Error('bad');"),
        ),
        ("in a loop", each(&format!("for (const y of $json.body.list) {{ {word} }}"))),
        ("in a loop that is left", each(&format!("while (true) {{ if ($json.body.y) break; {word} }}"))),
        ("in a block with a label", each(&format!("check: {{ if ($json.body.y) break check; {word} }}"))),
        ("in a function that is not called", each(&format!("function check() {{ {word} }}"))),
        ("in a function that is called", each(&format!("function check() {{ {word} }} check();"))),
        ("in a callback", each("[$json].forEach(i => { if (!['a'].includes(i.body.x)) return; });")),
        ("in a switch", each(&format!("switch ($json.body.y) {{ case 1: {word} }}"))),
        ("behind a short circuit", each("$json.body.y && /^[a-z]+$/.test($json.body.x);")),
        ("behind a return", code(EACH, &format!("return $input.item; {word}"))),
        (
            "behind a return in front",
            code(EACH, &format!("if ($json.body.y) return $input.item; {word} return $input.item;")),
        ),
        (
            "a name that is given again",
            each("let x = $json.body.y; x = $json.body.x; if (!/^[a-z]+$/.test(x)) throw new Error('bad'); x = 1;"),
        ),
        ("the value is written behind it", each(&format!("{word} $json.body.x = $json.body.y;"))),
        (
            "the value is written in what is returned",
            code(EACH, &format!("{word} return {{ json: {{ ...$json, y: ($json.body.x = $json.body.y) }} }};")),
        ),
        ("the value is put in behind it", each(&format!("{word} Object.assign($json.body, $json.body.more);"))),
        (
            "a pattern that is written again",
            each("let P = /^[a-z]+$/; P = /./; if (!P.test($json.body.x)) throw new Error('bad');"),
        ),
        (
            "a pattern that is compiled again",
            each("const P = /^[a-z]+$/; P.compile('.'); if (!P.test($json.body.x)) throw new Error('bad');"),
        ),
        (
            "a list that grows",
            each("const OK = ['a']; OK.push($json.body.y); if (!OK.includes($json.body.x)) throw new Error('bad');"),
        ),
        (
            "a list that grows in a test",
            each("const OK = ['a']; if (OK.push($json.body.x) && !OK.includes($json.body.x)) throw new Error('bad');"),
        ),
        (
            "a list with a place that is written",
            each("const OK = ['a']; OK[0] = $json.body.x; if (!OK.includes($json.body.x)) throw new Error('bad');"),
        ),
        (
            "a set that grows",
            each("const OK = new Set(['a']); OK.add($json.body.x); if (!OK.has($json.body.x)) throw new Error('bad');"),
        ),
        (
            "a list from data",
            each("const OK = $json.body.allowed; if (!OK.includes($json.body.x)) throw new Error('bad');"),
        ),
        ("a list with data", each("if (!['a', $json.body.y].includes($json.body.x)) throw new Error('bad');")),
        ("a list with more data", each("if (!['a', ...$json.body.y].includes($json.body.x)) throw new Error('bad');")),
        ("an object as a list", each("const OK = { a: 1, b: 1 }; if (!OK[$json.body.x]) throw new Error('bad');")),
        ("a name in an object", each("const OK = { a: 1, b: 1 }; if (!($json.body.x in OK)) throw new Error('bad');")),
        (
            "any of several values",
            each("if (![$json.body.x, $json.body.y].some(v => /^[a-z]+$/.test(v))) throw new Error('bad');"),
        ),
        ("a method that is replaced", each(&format!("RegExp.prototype.test = () => true; {word}"))),
        (
            "a method of lists that is replaced",
            each("Array.prototype.includes = () => true; if (!['a'].includes($json.body.x)) throw new Error('bad');"),
        ),
        (
            "a `Set` of its own",
            each("class Set { has() { return true; } } if (!new Set(['a']).has($json.body.x)) throw new Error('bad');"),
        ),
        (
            "a `String` of its own",
            each("const String = (x) => 'a'; if (!/^[a-z]+$/.test(String($json.body.x))) throw new Error('bad');"),
        ),
        (
            "a `$json` of its own",
            each("const $json = { body: { x: 'a' } }; if (!/^[a-z]+$/.test($json.body.x)) throw new Error('bad');"),
        ),
        (
            "an `$input` of its own",
            code(
                EACH,
                "var $input = { item: { json: { body: { x: 'a' } } } }; if (!/^[a-z]+$/.test($input.item.json.body.x)) throw new Error('bad'); return item;",
            ),
        ),
        (
            "a function behind the return that hides a name",
            code(EACH, &format!("{word} return $input.item; function RegExp() {{}}")),
        ),
        ("a text that is run", each(&format!("eval($json.body.y); {word}"))),
        ("a check that waits", each(&format!("await check($json.body.x); {word}"))),
        ("a comment", each(&format!("// {word}"))),
        ("a text", each(&format!("const s = `{word}`;"))),
        ("no JavaScript", each("if (!/^[a-z]+$/.test($json.body.x) throw new Error('bad');")),
        ("an expression", code(EACH, &format!("={word} return $input.item;"))),
        ("items that fail", code(ALL, "return items.filter(i => !/^[a-z]+$/.test(i.json.body.x));")),
        ("items that pass by another item", code(ALL, "return items.filter(i => /^[a-z]+$/.test($json.body.x));")),
        (
            "items that pass by a name of another item",
            code(ALL, "const x = items[0].json.body.y; return items.filter(i => /^[a-z]+$/.test(x));"),
        ),
        (
            "items that pass or not",
            code(ALL, "return items.filter(i => /^[a-z]+$/.test(i.json.body.x) || i.json.admin);"),
        ),
        (
            "items that pass are counted",
            code(ALL, "const ok = items.filter(i => /^[a-z]+$/.test(i.json.body.x)); return items;"),
        ),
        (
            "items that pass, and all",
            code(ALL, "return items.filter(i => /^[a-z]+$/.test(i.json.body.x)).concat(items);"),
        ),
        ("a filter that returns nothing", code(ALL, "return items.filter(i => { /^[a-z]+$/.test(i.json.body.x); });")),
        ("a filter that waits", code(ALL, "return items.filter(async i => /^[a-z]+$/.test(i.json.body.x));")),
        (
            "a filter that writes",
            code(ALL, "return items.filter(i => (i.json.body.x = i.json.body.y) && /^[a-z]+$/.test(i.json.body.x));"),
        ),
        ("a map", code(ALL, "return items.map(i => /^[a-z]+$/.test(i.json.body.x) ? i : i);")),
        (
            "written again behind the filter",
            code(
                ALL,
                "return items.filter(i => ['a'].includes(i.json.body.x)).map(i => { i.json.body.x = i.json.body.y; return i; });",
            ),
        ),
        (
            "each item, but it goes on",
            code(ALL, "for (const item of items) { if (!/^[a-z]+$/.test(item.json.body.x)) continue; } return items;"),
        ),
        (
            "each item up to one",
            code(
                ALL,
                "for (const item of items) { if (item.json.last) break; if (!/^[a-z]+$/.test(item.json.body.x)) return []; } return items;",
            ),
        ),
        (
            "each of some items",
            code(
                ALL,
                "for (const item of items.slice(1)) { if (!/^[a-z]+$/.test(item.json.body.x)) return []; } return items;",
            ),
        ),
        (
            "a handle that is for each item",
            code(ALL, "if (!/^[a-z]+$/.test($input.item.json.body.x)) throw new Error('bad'); return items;"),
        ),
        (
            "the first item, asked for each",
            each("if (!/^[a-z]+$/.test($input.first().json.body.x)) throw new Error('bad');"),
        ),
        ("it goes on after errors", with(each(word), "onError", "continueRegularOutput")),
        ("it goes on after errors, as it was written once", with(each(word), "continueOnFail", true)),
        ("it goes on after errors, tried again", with(with(each(word), "retryOnFail", true), "continueOnFail", true)),
        (
            "it always puts something out",
            with(each("if (!['a'].includes($json.body.x)) return null;"), "alwaysOutputData", true),
        ),
        ("it is switched off", with(each(word), "disabled", true)),
        ("another language", with(each(word), "language", "python")),
        ("another node", ("Check", "noOp", json!({ "mode": EACH, "jsCode": format!("{word} return $input.item;") }))),
        (
            "another parameter",
            ("Check", "code", json!({ "mode": EACH, "functionCode": format!("{word} return $input.item;") })),
        ),
    ];
    for (what, check) in cases {
        for word in [KEPT, NAMED] {
            assert_eq!(behind(check.clone(), word), "open", "{what}: {word}");
        }
    }
}

#[test]
fn what_was_checked_in_a_program_is_known_only_where_it_is_copied_to() {
    let stop = "if (!/^[a-z]+$/.test($json.body.x)) throw new Error('bad');";
    for (what, returned, word) in [
        ("another field", "{ json: { slug: $json.body.y } }", "$json.slug"),
        ("it is changed", "{ json: { slug: decodeURIComponent($json.body.x) } }", "$json.slug"),
        ("it is put together", "{ json: { slug: $json.body.x + $json.body.y } }", "$json.slug"),
        ("one or the other", "{ json: { slug: $json.body.y || $json.body.x } }", "$json.slug"),
        ("its field is replaced", "{ json: { ...$json, body: { x: $json.body.y } } }", KEPT),
        ("fields of somebody else on top", "{ json: { ...$json.body, ...$json.query } }", "$json.x"),
        ("fields of somebody else below", "{ json: { ...$json.query, ...$json.body } }", "$json.x"),
        ("a computed field", "{ json: { ...$json.body, [$json.body.k]: $json.body.y } }", "$json.x"),
        ("what is in it", "{ json: $json }", "$json.body.x.y"),
    ] {
        let program = format!("{stop} return {returned};");
        assert_eq!(behind(code(EACH, &program), word), "open", "{what}");
    }
}

#[test]
fn of_many_items_a_name_is_not_the_one_that_was_checked() {
    let inbox = ("Mail", "gmailTrigger", json!({}));
    let stop = "if (!/^[a-z]+$/.test($json.text)) throw new Error('bad'); return $input.item;";
    let first = "if (!/^[a-z]+$/.test($input.first().json.text)) throw new Error('bad'); return $input.all();";
    for (mode, program, word, expected) in [
        (EACH, stop, "$json.text", "held by Check"),
        (EACH, stop, "$('Mail').first().json.text", "open"),
        (ALL, first, "$json.text", "open"),
        (ALL, first, "$('Mail').first().json.text", "open"),
    ] {
        let text = export(&[inbox.clone(), code(mode, program), get(word)], &["Mail -> Check", "Check -> Get"]);
        assert_eq!(standing(&text, "url_path"), expected, "{word} {program}");
    }
}

#[test]
fn a_check_in_a_program_counts_only_where_every_way_passes_its_good_port() {
    let check = || code(EACH, "if (!['a'].includes($json.body.x)) throw new Error('bad'); return $input.item;");
    let with_port = || with(check(), "onError", "continueErrorOutput");
    for (what, check, links, expected) in [
        ("it is on the way", check(), vec!["Hook -> Check", "Check -> Get"], "held by Check"),
        ("a way goes around it", check(), vec!["Hook -> Check", "Check -> Get", "Hook -> Get"], "open"),
        ("it is in another branch", check(), vec!["Hook -> Check", "Hook -> Get"], "open"),
        ("the good port", with_port(), vec!["Hook -> Check", "Check -> Get"], "held by Check"),
        ("the port of errors", with_port(), vec!["Hook -> Check", "Check:1 -> Get"], "open"),
        ("both ports", with_port(), vec!["Hook -> Check", "Check -> Get", "Check:1 -> Get"], "open"),
    ] {
        for word in [KEPT, NAMED] {
            let text = export(&[hook(), check.clone(), get(word)], &links);
            assert_eq!(standing(&text, "url_path"), expected, "{what}: {word}");
        }
    }
}
