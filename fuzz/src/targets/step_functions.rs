//! State machines: whatever the bytes, reading and importing end with a survey or with places.

use crate::Target;
use crate::targets::logic_apps::surveyed;

/// See the module.
pub const TARGET: Target = Target { name: "step_functions", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"\"ResultPath\": \"$.a.b\"",
    b"\"Next\": \"A\"",
    b"\"End\": true",
    b"\"Type\": \"Parallel\"",
    b"\"Branches\": [",
    b"\"QueryLanguage\": \"JSONata\"",
    b"{% $states.input.a %}",
    b"{%",
    b"%}",
    b"States.Format('{}', ",
    b"$$.Map.Item.Value",
    b"$.a['b'][0]",
    b"[?(@.a)]",
    b"..",
    b".waitForTaskToken",
    b"\\\\'",
    b"'",
    b"${A}",
    "š".as_bytes(),
];

fn run(data: &[u8]) -> String {
    surveyed(data)
}

fn seeds() -> Vec<Vec<u8>> {
    [
        r#"{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "f", "Payload": {"x.$": "States.Format('a {}', $.b['c'][0])"}},
            "ResultSelector": {"y.$": "$.Payload"}, "ResultPath": "$.r.s", "OutputPath": "$.r",
            "Retry": [{"ErrorEquals": ["States.ALL"]}], "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "F"}], "Next": "C"},
            "C": {"Type": "Choice", "Choices": [{"Variable": "$.s", "IsPresent": true, "Next": "F"}], "Default": "F"},
            "F": {"Type": "Fail", "CausePath": "$.s"}}}"#,
        r#"{"StartAt": "M", "QueryLanguage": "JSONata", "States": {"M": {"Type": "Map", "Items": "{% $states.input.l %}",
            "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "Assign": {"v": "{% $states.input & 'x' %}"},
            "Output": ["{% $v %}"], "End": true}}}, "End": true}}}"#,
        r#"{"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [{"StartAt": "W", "States": {"W": {"Type": "Wait",
            "Seconds": 1, "End": true}}}, {"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}], "End": true}}}"#,
        "StartAt: A\nStates:\n  A:\n    Type: Pass\n    Parameters:\n      a.$: $$.Execution.Input\n    End: true\n",
        r#"{"StartAt": "A", "States": {"A": {"Type": "Loop"}}}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
