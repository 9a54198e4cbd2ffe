//! Native definitions of other engines' workflows: whatever the bytes, what is written can be read again, and a part says so of itself.

use sluice_formats::native;
use sluice_verify::survey::compare;

use crate::Target;
use crate::targets::{dify, github_actions, logic_apps, n8n, step_functions};

/// See the module.
pub const TARGET: Target = Target { name: "native", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"@{range(range(1,2),3)}",
    b"@outputs('A')?['body/a/b']",
    b"\"runAfter\": {\"A\": [\"Failed\", \"Skipped\"]}",
    b"\"retryPolicy\": {\"type\": \"fixed\", \"count\": 3, \"interval\": \"PT5S\"}",
    b"\"uri\": \"https://a.example.com/@{items('L')}/b?c=@{triggerBody()}\"",
    b"{{#start.q#}}",
    b"{{#sys.query#}}",
    b"error_strategy: fail-branch",
    b"sourceHandle: 'false'",
    b"${{ env.A }}${{ env.A }}",
    b"if: \"${{ contains(github.event.a, 'b') && !github.event.c }}\"",
    b"${ $context.a }",
    b"\xe2\x80\xae",
];

fn run(data: &[u8]) -> String {
    let Some(opened) = native::open("foreign", data, None) else { return "no known format".to_owned() };
    let starts = opened.starts.iter().take(3).map(|start| Some(start.to_string()));
    let starts: Vec<Option<String>> = if opened.starts.len() > 1 { starts.collect() } else { vec![None] };
    let mut told = opened.format.name().to_owned();
    for start in starts {
        let Some(opened) = native::open("foreign", data, start.as_deref()) else { continue };
        let length = opened.text.content.len();
        match opened.result {
            Err(found) => {
                assert!(!found.is_empty(), "refused without a word");
                found.iter().for_each(|found| told.push_str(&format!(" {}", found.code)));
            }
            Ok(both) => {
                let (original, definition) = *both;
                let files = definition.files();
                for gap in &definition.gaps {
                    assert!(gap.span.start <= gap.span.end && gap.span.end <= length, "outside the text: {gap:?}");
                    told.push_str(&format!(" {}", gap.code));
                }
                assert!(definition.gaps.is_empty() || files.definition.contains("no-equivalent."), "a part would run");
                let compared = compare(&original, &definition, &files);
                let compared = compared.unwrap_or_else(|unreadable| panic!("{unreadable}\n{}", files.definition));
                let hides = definition.gaps.is_empty() && !compared.lost.is_empty();
                told.push_str(if hides { " hides" } else { " whole" });
            }
        }
    }
    told
}

fn seeds() -> Vec<Vec<u8>> {
    let others = [logic_apps::TARGET, step_functions::TARGET, dify::TARGET, github_actions::TARGET, n8n::TARGET];
    others.iter().flat_map(|target| (target.seeds)()).collect()
}
