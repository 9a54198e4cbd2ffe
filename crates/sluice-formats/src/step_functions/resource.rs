//! What a task calls: a service and an operation, from its `Resource`.

use sluice_core::document::Node as Tree;

/// Called, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// `lambda`, `dynamodb`, `sfn`; `unknown` where the text does not say.
    pub(super) service: String,
    pub(super) operation: String,
    /// Waits until somebody who has the token calls back.
    pub(super) is_callback: bool,
}

impl Target {
    fn new(service: &str, operation: &str) -> Self {
        let (operation, pattern) = operation.split_once('.').unwrap_or((operation, ""));
        Self {
            service: service.to_owned(),
            operation: operation.to_owned(),
            is_callback: pattern.starts_with("waitForTaskToken"),
        }
    }

    /// The name of its type in reports: `dynamodb:putItem`.
    pub(super) fn node_type(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

/// Reads a `Resource`. A deployment puts another text in place of each `${Name}`: where the service hides in one, the
/// parameters tell it, or else the name's own words.
pub(super) fn target(resource: Option<&str>, parameters: Option<&Tree>) -> Target {
    let text = resource.unwrap_or_default();
    let masked = masked(text);
    let parts: Vec<&str> = masked.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "states", _, _, "aws-sdk", service, operation, ..] => Target::new(service, operation),
        ["arn", _, "states", _, _, "activity", ..] => Target::new("activity", "run"),
        ["arn", _, "states", _, _, service, operation, ..] => Target::new(service, operation),
        ["arn", _, "lambda", ..] => Target::new("lambda", "invoke"),
        _ => by_parameters(parameters).unwrap_or_else(|| by_name(text)),
    }
}

/// `${…}` hides colons.
fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        out.push('_');
        rest = after.split_once('}').map_or("", |(_, behind)| behind);
    }
    out.push_str(rest);
    out
}

fn by_parameters(parameters: Option<&Tree>) -> Option<Target> {
    let parameters = parameters?;
    let has = |key: &str| parameters.get(key).is_some() || parameters.get(&format!("{key}.$")).is_some();
    const TELLING: [(&str, &str, &str); 9] = [
        ("FunctionName", "lambda", "invoke"),
        ("TopicArn", "sns", "publish"),
        ("QueueUrl", "sqs", "sendMessage"),
        ("StateMachineArn", "states", "startExecution"),
        ("UpdateExpression", "dynamodb", "updateItem"),
        ("Item", "dynamodb", "putItem"),
        ("ModelId", "bedrock", "invokeModel"),
        ("ApiEndpoint", "http", "invoke"),
        ("TransactItems", "dynamodb", "transactWriteItems"),
    ];
    let found = TELLING.iter().find(|(key, ..)| has(key));
    found.map(|(_, service, operation)| Target::new(service, operation))
}

fn by_name(text: &str) -> Target {
    let name = text.to_lowercase();
    if name.contains("lambda") || name.contains("function") {
        return Target::new("lambda", "invoke");
    }
    let named: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    Target { service: "unknown".to_owned(), operation: named, is_callback: text.ends_with("waitForTaskToken") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_names_service_and_operation_in_each_of_its_forms() {
        for (resource, service, operation, is_callback) in [
            ("arn:aws:states:::lambda:invoke", "lambda", "invoke", false),
            ("arn:aws:states:::sns:publish.waitForTaskToken", "sns", "publish", true),
            ("arn:aws:states:::aws-sdk:dynamodb:scan", "dynamodb", "scan", false),
            ("arn:aws:states:::states:startExecution.sync:2", "states", "startExecution", false),
            ("arn:${AWS::Partition}:states:::batch:submitJob.sync", "batch", "submitJob", false),
            ("arn:aws:states:us-east-1:123456789012:activity:check", "activity", "run", false),
            ("arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:f:$LATEST", "lambda", "invoke", false),
            ("${CheckFunctionArn}", "lambda", "invoke", false),
            ("${Something}", "unknown", "Something", false),
        ] {
            let expected = Target { service: service.into(), operation: operation.into(), is_callback };
            assert_eq!(target(Some(resource), None), expected, "{resource}");
        }
    }
}
